#!/bin/sh
# Makes the image upheaval-base from Debian's packages alone, for hosts without a container registry:
#   deploy/docker/base.sh && BASE=upheaval-base docker-compose up --build
# Needs root, debootstrap and a docker daemon.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" "${MIRROR:-http://deb.debian.org/debian}"
rm -rf "$folder"/var/cache/apt/archives/*.deb
tar -C "$folder" -c . | docker import - upheaval-base
