# ZooKeeper from Debian's packages. BASE is any Debian 12, also one made by debootstrap (deploy/docker/base.sh).
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends default-jre-headless zookeeper libslf4j-java \
 && rm -rf /var/lib/apt/lists/*
COPY deploy/docker/zookeeper.sh /usr/local/bin/zookeeper-node
RUN mkdir -p /data && chown zookeeper:zookeeper /data
USER zookeeper
VOLUME /data
EXPOSE 2181
ENTRYPOINT ["/bin/sh", "/usr/local/bin/zookeeper-node"]
