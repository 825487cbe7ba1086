# The probe alone, built beforehand on Debian 12 (cargo build --release -p upheaval-probe): nothing is compiled here.
ARG BASE=debian:bookworm-slim
FROM ${BASE}
ARG BINARY=target/release/upheaval-probe
COPY ${BINARY} /usr/local/bin/upheaval-probe
RUN useradd --system --create-home --home-dir /var/lib/upheaval upheaval
USER upheaval
WORKDIR /var/lib/upheaval
ENTRYPOINT ["upheaval-probe"]
