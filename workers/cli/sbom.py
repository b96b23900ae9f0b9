"""`seatline sbom`: the locked packages as a CycloneDX document.

Its one rule: it says what the lock says, so that the same lock gives the same document to the byte.
"""

import uuid
from pathlib import Path

import click
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from infra.local.locked import LOCKS, Locked, locked
from infra.version import VERSION

# A name's own place among UUIDs, so that a document's number follows from its content.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:seatline:sbom")


@click.command()
@click.option("--lock", type=click.Choice(LOCKS), default="runtime", show_default=True, help="Of which packages.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write here, not to standard output.")
def sbom(lock: str, output: Path | None) -> None:
    """Print a software bill of materials (CycloneDX 1.6, JSON) of the locked packages."""
    text = document(lock)
    if output is None:
        click.echo(text)
    else:
        output.write_text(text + "\n", encoding="utf-8")


def document(lock: str) -> str:
    """The packages of a lock, each with its files' hashes, its package URL and its licence."""
    packages = list(locked(lock))
    service = Component(name="seatline", version=VERSION, type=ComponentType.APPLICATION, bom_ref="seatline")
    service.licenses.add(LicenseFactory().make_from_string("Apache-2.0"))
    components = [_component(package) for package in packages]
    bom = Bom(components=components, serial_number=uuid.uuid5(_NAMESPACE, repr((VERSION, lock, packages))))
    bom.metadata.component = service
    bom.register_dependency(service, components)
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    moment = f'"timestamp": "{bom.metadata.timestamp.isoformat()}"'
    return text.replace(moment, '"timestamp": "1970-01-01T00:00:00+00:00"')


def _component(package: Locked) -> Component:
    component = Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        purl=PackageURL("pypi", name=package.name, version=package.version),
        bom_ref=f"{package.name}=={package.version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.hashes],
    )
    component.licenses.add(LicenseFactory().make_from_string(package.licence))
    return component
