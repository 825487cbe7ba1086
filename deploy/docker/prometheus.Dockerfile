# Prometheus from Debian's packages, with the probe's rules in it.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends prometheus \
 && rm -rf /var/lib/apt/lists/*
COPY deploy/docker/prometheus.yml /etc/prometheus/prometheus.yml
COPY deploy/probe/rules.yml /etc/prometheus/rules.yml
# The token is mounted over this one.
RUN : > /etc/prometheus/token && promtool check config /etc/prometheus/prometheus.yml
RUN mkdir -p /data && chown prometheus:prometheus /data
USER prometheus
VOLUME /data
EXPOSE 9090
ENTRYPOINT ["prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"]
