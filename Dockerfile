# syntax=docker/dockerfile:1
# One image, one command line: seatline api | worker | migrate | check | tokens | tenants.

FROM python:3.12-slim-bookworm AS build
# runtime, or traces for an image that can send traces: docker build --build-arg REQUIREMENTS=traces .
ARG REQUIREMENTS=runtime
COPY requirements/uv.txt requirements/runtime.txt requirements/traces.txt /build/
RUN pip install --no-cache-dir --require-hashes -r /build/uv.txt
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
RUN uv venv /opt/seatline \
    && uv pip sync --no-cache --require-hashes --python /opt/seatline/bin/python "/build/${REQUIREMENTS}.txt"

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin seatline
COPY --from=build /opt/seatline /opt/seatline
WORKDIR /srv/seatline
COPY api/ api/
COPY domain/ domain/
COPY infra/ infra/
COPY workers/ workers/
COPY deploy/seatline /usr/local/bin/seatline
ENV PATH=/opt/seatline/bin:$PATH \
    PYTHONPATH=/srv/seatline \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SEATLINE_API_HOST=0.0.0.0 \
    SEATLINE_LOG_FORMAT=json
USER seatline
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["seatline"]
CMD ["api"]
