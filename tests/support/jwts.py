"""An issuer of JWTs: keys of every accepted kind, their key set, and tokens good and bad."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://issuer.example.org"
AUDIENCE = "seatline"


class Issuer:
    """Signs tokens with RSA, P-256 and Ed25519 keys named `rsa`, `ec` and `ed`."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()

    def jwks(self, *extra: dict[str, Any], without: str | None = None) -> bytes:
        """The key set, with further members and without the key of one kid."""
        members = [
            {**RSAAlgorithm.to_jwk(self.rsa.public_key(), as_dict=True), "kid": "rsa", "use": "sig"},
            {**ECAlgorithm.to_jwk(self.ec.public_key(), as_dict=True), "kid": "ec", "alg": "ES256"},
            {**OKPAlgorithm.to_jwk(self.ed.public_key(), as_dict=True), "kid": "ed"},
        ]
        return json.dumps({"keys": [member for member in (*members, *extra) if member["kid"] != without]}).encode()

    def token(self, kid: str | None = "rsa", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, but for what is named here; a claim of None is left out."""
        key, algorithm = {"ec": (self.ec, "ES256"), "ed": (self.ed, "EdDSA")}.get(kid or "", (self.rsa, "RS256"))
        return jwt.encode(payload(**claims), key, algorithm=algorithm, headers={"kid": kid, **(header or {})})


def payload(**claims: Any) -> dict[str, Any]:
    """The claims of a good token with changes; a claim of None is left out."""
    good = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 60,
        "tenant": "acme",
        "scope": "groups:read directory:write",
    }
    return {name: value for name, value in {**good, **claims}.items() if value is not None}
