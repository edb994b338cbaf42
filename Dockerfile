# One file, one target per program:
#   docker build --target migrate -t pgc/migrate .
#   docker run --rm -e DATABASE_URL -v "$PWD/migrations:/migrations:ro" pgc/migrate up --dir /migrations
# Targets: ready init migrate lint seed sql backup restore, and suite with all of them.
#
# There is no `# syntax` line, no here-document and no COPY --link: Docker 20.10 builds this file with the BuildKit that it
# carries, and nothing but the base image and Debian's packages is fetched.
ARG BASE=debian:bookworm-slim

# --- build stage: compiler and libraries, then the programs ---
FROM ${BASE} AS tools
ARG PG_MAJOR=15
ENV DEBIAN_FRONTEND=noninteractive
COPY tools/deps.sh tools/pgbin.sh /tools/
RUN /tools/deps.sh install build \
 && apt-get install -y --no-install-recommends ca-certificates tzdata postgresql-client-${PG_MAJOR} \
 && rm -rf /var/lib/apt/lists/*

FROM tools AS build
WORKDIR /src
COPY . .
RUN make -s -j"$(nproc)" install-programs prefix=/usr \
 && install -D -m 644 LICENSE /rootfs/base/licenses/pgc \
 && install -d /rootfs/base/etc && install -d -m 1777 /rootfs/base/tmp \
 && printf 'root:x:0:0:root:/:/sbin/nologin\npgc:x:65532:65532:pgc:/:/sbin/nologin\n' > /rootfs/base/etc/passwd \
 && printf 'root:x:0:\npgc:x:65532:\n' > /rootfs/base/etc/group

# Programs, the shared libraries that they really load, and for those that upload certificates and time zones.
FROM build AS ready-root
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-ready
FROM build AS init-root
ARG PG_MAJOR=15
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-init /usr/lib/postgresql/${PG_MAJOR}/bin/pg_restore
FROM build AS migrate-root
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-migrate
FROM build AS lint-root
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-lint
FROM build AS seed-root
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-seed
FROM build AS sql-root
RUN tools/rootfs.sh /rootfs/base /usr/bin/pgc-sql
FROM build AS backup-root
ARG PG_MAJOR=15
RUN tools/rootfs.sh /rootfs/base --upload /usr/bin/pgc-backup /usr/lib/postgresql/${PG_MAJOR}/bin/pg_dump \
      /usr/lib/postgresql/${PG_MAJOR}/bin/pg_dumpall /usr/lib/postgresql/${PG_MAJOR}/bin/pg_restore
FROM build AS restore-root
ARG PG_MAJOR=15
RUN tools/rootfs.sh /rootfs/base --upload /usr/bin/pgc-restore /usr/lib/postgresql/${PG_MAJOR}/bin/pg_restore
FROM build AS suite-root
ARG PG_MAJOR=15
RUN tools/rootfs.sh /rootfs/base --upload /usr/bin/pgc $(ls -d /usr/bin/pgc-*) \
      /usr/lib/postgresql/${PG_MAJOR}/bin/pg_dump /usr/lib/postgresql/${PG_MAJOR}/bin/pg_dumpall \
      /usr/lib/postgresql/${PG_MAJOR}/bin/pg_restore
# pg_dumpall (roles and tablespaces) asks for pg_dump's version through /bin/sh: this one can do that and nothing else.
FROM build AS no-shell
RUN mkdir -p /rootfs/no-shell/bin \
 && gcc -O2 -static -s -Wall -Wextra -Werror -o /rootfs/no-shell/bin/sh tools/no-shell.c
# A folder for backups that user 65532, and any user of group 0, may write: a new volume takes owner and mode from it.
RUN install -d -m 0775 /rootfs/volumes/backups

# --- what all images share: no shell, no package manager, a numeric user, nothing to write but /tmp and volumes ---
FROM scratch AS runtime
ARG PG_MAJOR=15
ARG VERSION=0
ARG REVISION=unknown
ENV PATH=/usr/bin:/usr/lib/postgresql/${PG_MAJOR}/bin \
    PGC_LOG_FORMAT=json
LABEL org.opencontainers.image.title="pgc" \
      org.opencontainers.image.description="small programs beside PostgreSQL" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="PostgreSQL"
STOPSIGNAL SIGTERM
USER 65532:65532

FROM runtime AS ready
COPY --from=ready-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-ready"]
# What the container itself says when it serves (`serve`); for another container copy /usr/bin/pgc-ready into it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/bin/pgc-ready", "--healthcheck", "--quiet"]

FROM runtime AS init
COPY --from=init-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-init"]
CMD ["--help"]

FROM runtime AS migrate
COPY --from=migrate-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-migrate"]
CMD ["--help"]

FROM runtime AS lint
COPY --from=lint-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-lint"]
CMD ["--help"]

FROM runtime AS seed
COPY --from=seed-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-seed"]
CMD ["--help"]

FROM runtime AS sql
COPY --from=sql-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-sql"]
CMD ["--help"]

FROM runtime AS backup
COPY --from=backup-root /rootfs/base/ /
COPY --from=no-shell /rootfs/no-shell/ /
COPY --from=no-shell --chown=65532:0 /rootfs/volumes/ /
ENTRYPOINT ["/usr/bin/pgc-backup"]
CMD ["--help"]
# For `schedule`, which listens at PGC_BACKUP_LISTEN (:9187); who runs one backup in it ends before the first probe, or switches it off.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/usr/bin/pgc-backup", "health"]

FROM runtime AS restore
COPY --from=restore-root /rootfs/base/ /
ENTRYPOINT ["/usr/bin/pgc-restore"]
CMD ["--help"]

FROM runtime AS suite
COPY --from=suite-root /rootfs/base/ /
COPY --from=no-shell /rootfs/no-shell/ /
COPY --from=no-shell --chown=65532:0 /rootfs/volumes/ /
ENTRYPOINT ["/usr/bin/pgc"]
CMD ["--help"]
