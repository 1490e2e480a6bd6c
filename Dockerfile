# Strategy Bridge as a container: one process, no open port, everything that changes lies in /data.
#
#   docker build -t strategy-bridge .
#   docker run --env-file .env -v bridge-data:/data --read-only strategy-bridge

FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
# Without pip inside: it would be a sixth of what is copied to the last stage, where nothing is installed.
RUN python -m venv --without-pip /opt/bridge
# The dependencies first and by themselves: they change less often than the program.
COPY requirements.lock pyproject.toml ./
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print('\n'.join([*p['dependencies'], *p['optional-dependencies']['postgresql']]))" > wanted.txt \
 && python -m pip --python /opt/bridge/bin/python install --no-compile --constraint requirements.lock --requirement wanted.txt
COPY README.md LICENSE .env.example ./
COPY connectors connectors
COPY mappings mappings
COPY bridge bridge
# Byte code that does not look at its source's time stamp: layers round it (seen with buildah), and then nearly half of
# the modules were compiled anew at every start, because there is nowhere to keep the result.
RUN python -m pip --python /opt/bridge/bin/python install --no-compile --no-deps . \
 && /opt/bridge/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/bridge/lib

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="Strategy Bridge" \
      org.opencontainers.image.description="Mirrors the tasks and milestones of a city's digital strategy between the tools its people already use" \
      org.opencontainers.image.licenses="EUPL-1.2"
COPY --from=build /opt/bridge /opt/bridge
ENV PATH=/opt/bridge/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# A number, so that a cluster can see that it is not root; /data belongs to it, nothing else does.
RUN install -d -o 10001 -g 10001 -m 0750 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# 1 means that something is parked or a platform is down: no reason to end the container.
HEALTHCHECK --interval=5m --timeout=30s --start-period=1m \
  CMD strategy-bridge status --json > /dev/null || [ $? -eq 1 ]
CMD ["strategy-bridge", "run"]
