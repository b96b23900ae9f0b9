"""JWTs: what is believed, and the corpus of what must not be."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from api.credentials.jwt import LONGEST_TOKEN, BadTokenError, JwtVerifier
from api.credentials.keys import BELIEVED_SECONDS, FIRST_SECONDS, REFRESH_SECONDS, KeySet, read_keys
from infra.jwks import JwksUnavailableError
from tests.support.jwts import AUDIENCE, ISSUER, Issuer, payload


@pytest.fixture(scope="module")
def issuer():
    return Issuer()


class Source:
    """A key set that is fetched, counted, changed and made to fail."""

    def __init__(self, document):
        self.document = document
        self.fetched = 0

    async def __call__(self):
        self.fetched += 1
        if self.document is None:
            raise JwksUnavailableError("gone")
        return self.document


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def verifier(document, *, source=None, clock=None):
    keys = KeySet(source or Source(document), clock=clock or Clock())
    return JwtVerifier(keys=keys, issuer=ISSUER, audience=AUDIENCE)


def segment(document):
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def forged(header, claims, signature=b""):
    return f"{segment(header)}.{segment(claims)}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("kid", ["rsa", "ec", "ed"])
async def test_each_kind_of_key_signs_good_tokens(issuer, kid):
    claims = await verifier(issuer.jwks()).verify(issuer.token(kid))
    assert (claims.tenant, claims.scopes) == ("acme", ("groups:read", "directory:write"))


async def test_a_scope_may_be_a_list_or_absent(issuer):
    good = verifier(issuer.jwks())
    assert (await good.verify(issuer.token(scope=["a", "b"]))).scopes == ("a", "b")
    assert (await good.verify(issuer.token(scope=None))).scopes == ()


async def test_one_of_several_audiences_is_enough(issuer):
    await verifier(issuer.jwks()).verify(issuer.token(aud=["other", AUDIENCE]))


async def test_without_a_kid_the_only_key_of_the_algorithm_is_taken(issuer):
    await verifier(issuer.jwks()).verify(jwt.encode(payload(), issuer.rsa, algorithm="RS256"))
    second = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    two = issuer.jwks({**RSAAlgorithm.to_jwk(second, as_dict=True), "kid": "rsa-2"})
    token = jwt.encode(payload(), issuer.rsa, algorithm="RS256")
    with pytest.raises(BadTokenError):
        await verifier(two).verify(token)


CLAIMS_TO_REFUSE = [
    {"exp": None},
    {"iss": None},
    {"aud": None},
    {"tenant": None},
    {"exp": 1},
    {"exp": "soon"},
    {"exp": "4102444800"},
    {"exp": "1" * 400},
    {"exp": True},
    {"nbf": "1"},
    {"nbf": 99_999_999_999},
    {"iss": "https://issuer.example.org/"},
    {"aud": "Seatline"},
    {"aud": []},
    {"aud": {"seatline": 1}},
    {"tenant": 7},
    {"tenant": "Acme"},
    {"tenant": "acme\x00"},
    {"tenant": ["acme"]},
    {"tenant": ""},
    {"scope": 7},
    {"scope": {"groups:read": True}},
    {"scope": ["groups:read", 7]},
    {"sub": 7},
]


@pytest.mark.parametrize("claims", CLAIMS_TO_REFUSE, ids=[str(claims)[:40] for claims in CLAIMS_TO_REFUSE])
async def test_claims_that_are_missing_wrong_or_of_the_wrong_type_are_refused(issuer, claims):
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(issuer.token(**claims))


async def test_a_token_is_refused_in_the_second_it_expires(issuer):
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(issuer.token(exp=int(time.time())))


async def test_a_token_without_signature_is_refused_however_none_is_spelt(issuer):
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, ["RS256"], {"alg": "RS256"}):
        with pytest.raises(BadTokenError):
            await verifier(issuer.jwks()).verify(forged({"alg": algorithm, "kid": "rsa"}, payload()))


async def test_a_public_key_is_no_shared_secret(issuer):
    pem = issuer.rsa.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), issuer.jwks(), b""):
        for algorithm, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
            body = f"{segment({'alg': algorithm, 'kid': 'rsa', 'typ': 'JWT'})}.{segment(payload())}"
            signature = hmac.new(secret, body.encode(), digest).digest()
            with pytest.raises(BadTokenError):
                await verifier(issuer.jwks()).verify(f"{body}.{segment(signature)}")


async def test_a_symmetric_key_in_the_set_signs_nothing(issuer):
    oct_key = {"kty": "oct", "kid": "shared", "k": segment(b"secret" * 8), "alg": "HS256"}
    token = jwt.encode(payload(), b"secret" * 8, algorithm="HS256", headers={"kid": "shared"})
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks(oct_key)).verify(token)


@pytest.mark.parametrize(("kid", "other"), [("rsa", "ec"), ("ec", "rsa"), ("ed", "ec"), ("rsa", "ed")])
async def test_the_key_of_another_kind_does_not_fit(issuer, kid, other):
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(issuer.token(kid, header={"kid": other}))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "ES384"])
async def test_other_algorithms_of_the_same_key_are_refused(issuer, algorithm):
    key = ec.generate_private_key(ec.SECP384R1()) if algorithm == "ES384" else issuer.rsa
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(jwt.encode(payload(), key, algorithm=algorithm, headers={"kid": "rsa"}))


async def test_a_key_that_the_token_brings_along_is_not_used(issuer):
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = RSAAlgorithm.to_jwk(own.public_key(), as_dict=True)
    for header in ({"jwk": jwk}, {"jku": "http://127.0.0.1/keys"}, {"x5u": "http://127.0.0.1/"}, {"x5c": ["MIIB"]}):
        token = jwt.encode(payload(), own, algorithm="RS256", headers={"kid": "rsa", **header})
        with pytest.raises(BadTokenError):
            await verifier(issuer.jwks()).verify(token)


@pytest.mark.parametrize(
    "kid", ["unknown", "../../dev/null", "rsa' OR '1'='1", "RSA", "rsa ", "", "r" * 300, 0, ["rsa"], {"rsa": 1}, True]
)
async def test_a_kid_is_only_a_name_of_the_set(issuer, kid):
    genuine = jwt.encode(payload(), issuer.rsa, algorithm="RS256", headers={"kid": "rsa"}).split(".")
    token = ".".join([segment({"alg": "RS256", "kid": kid}), *genuine[1:]])
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(token)


async def test_headers_that_ask_for_more_than_is_understood_are_refused(issuer):
    for header in ({"crit": ["exp"]}, {"crit": []}, {"b64": False}):
        genuine = jwt.encode(payload(), issuer.rsa, algorithm="RS256").split(".")
        token = ".".join([segment({"alg": "RS256", "kid": "rsa", **header}), *genuine[1:]])
        with pytest.raises(BadTokenError):
            await verifier(issuer.jwks()).verify(token)


async def test_a_changed_payload_or_signature_is_refused(issuer):
    header, claims, signature = issuer.token().split(".")
    for token in (
        f"{header}.{segment(payload(tenant='other'))}.{signature}",
        f"{header}.{claims}.{signature[:-4]}AAAA",
        f"{header}.{claims}.",
        f"{header}.{claims}",
        f"{header}.{claims}.{signature}.{signature}",
        f"{header}..{signature}",
        "..",
        "",
        "é.é.é",
    ):
        with pytest.raises(BadTokenError):
            await verifier(issuer.jwks()).verify(token)


async def test_payloads_that_no_library_would_sign_are_refused(issuer):
    good = payload()
    infinite, not_a_number = (json.dumps(good).replace(str(good["exp"]), word) for word in ("1e999", "NaN"))
    several_issuers = json.dumps(good | {"iss": [ISSUER]})
    texts = ("[" * 3000, "[]", "7", '"text"', "{", infinite, not_a_number, several_issuers)
    for claims in (*(text.encode() for text in texts), b"\xff\xfe"):
        body = f"{segment({'alg': 'RS256', 'kid': 'rsa'})}.{segment(claims)}"
        signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(body.encode(), issuer.rsa)
        with pytest.raises(BadTokenError):
            await verifier(issuer.jwks()).verify(f"{body}.{segment(signature)}")


@pytest.mark.parametrize("header", [b"[" * 3000, b"[]", b"7", b"{", b"\xff\xfe"])
async def test_headers_that_are_no_object_are_refused(issuer, header):
    with pytest.raises(BadTokenError):
        await verifier(issuer.jwks()).verify(f"{segment(header)}.{segment(payload())}.AAAA")


async def test_a_token_over_eight_kibibytes_is_refused_unread(issuer):
    source = Source(issuer.jwks())
    token = issuer.token(padding="x" * LONGEST_TOKEN)
    with pytest.raises(BadTokenError):
        await verifier(None, source=source).verify(token)
    assert source.fetched == 0


def test_keys_that_must_not_verify_are_left_out(issuer):
    weak = RSAAlgorithm.to_jwk(
        rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key(), as_dict=True
    )
    good = RSAAlgorithm.to_jwk(issuer.rsa.public_key(), as_dict=True)
    p384 = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    left_out = [
        {**weak, "kid": "weak"},
        {**p384, "kid": "p384"},
        {**good, "kid": "encrypts", "use": "enc"},
        {**good, "kid": "signs-only", "key_ops": ["sign"]},
        {**good, "kid": "other-alg", "alg": "RS512"},
        {**good, "kid": 7},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": ["RSA"], "kid": "odd"},
        {"kid": "untyped"},
        "no object",
    ]
    document = json.dumps({"keys": [*left_out, {**good, "kid": "good", "key_ops": ["verify"]}]}).encode()
    assert [key.kid for key in read_keys(document)] == ["good"]


def test_of_a_private_key_only_the_public_half_is_kept(issuer):
    member = {**RSAAlgorithm.to_jwk(issuer.rsa, as_dict=True), "kid": "whole"}
    member.pop("key_ops", None)
    (key,) = read_keys(json.dumps({"keys": [member]}).encode())
    assert isinstance(key.key.key, rsa.RSAPublicKey)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_key_set_is_said_so(document):
    with pytest.raises(JwksUnavailableError):
        read_keys(document)


async def test_an_unknown_kid_fetches_again_but_not_too_often(issuer):
    source, clock = Source(issuer.jwks(without="ec")), Clock()
    rotating = verifier(None, source=source, clock=clock)
    await rotating.verify(issuer.token("rsa"))
    source.document = issuer.jwks()
    with pytest.raises(BadTokenError):
        await rotating.verify(issuer.token("ec"))
    assert source.fetched == 1
    clock.now += REFRESH_SECONDS
    await rotating.verify(issuer.token("ec"))
    for _ in range(5):
        with pytest.raises(BadTokenError):
            await rotating.verify(issuer.token("rsa", header={"kid": "forged"}))
    assert source.fetched == 2


async def test_a_withdrawn_key_is_forgotten_in_time(issuer):
    source, clock = Source(issuer.jwks()), Clock()
    rotating = verifier(None, source=source, clock=clock)
    await rotating.verify(issuer.token("ec"))
    source.document = issuer.jwks(without="ec")
    clock.now += BELIEVED_SECONDS + 1
    with pytest.raises(BadTokenError):
        await rotating.verify(issuer.token("ec"))


async def test_keys_stay_in_use_while_the_issuer_cannot_be_reached(issuer):
    source, clock = Source(issuer.jwks()), Clock()
    lasting = verifier(None, source=source, clock=clock)
    await lasting.verify(issuer.token("ec"))
    source.document = None
    clock.now += 10 * BELIEVED_SECONDS
    await lasting.verify(issuer.token("ec"))


async def test_without_any_set_it_is_asked_for_again_soon(issuer):
    source, clock = Source(None), Clock()
    early = verifier(None, source=source, clock=clock)
    with pytest.raises(JwksUnavailableError):
        await early.verify(issuer.token())
    source.document = issuer.jwks()
    clock.now += FIRST_SECONDS
    await early.verify(issuer.token())
