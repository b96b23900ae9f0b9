"""What a process says of itself on all its spans, in OpenTelemetry's words."""

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.semconv.attributes import service_attributes


def resource(service: str, version: str, instance: str) -> Resource:
    """The service, its version and which process it is; `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win."""
    ours = {
        service_attributes.SERVICE_NAME: service,
        service_attributes.SERVICE_NAMESPACE: "seatline",
        service_attributes.SERVICE_VERSION: version,
        service_attributes.SERVICE_INSTANCE_ID: instance,
    }
    return Resource.create(ours).merge(OTELResourceDetector().detect())
