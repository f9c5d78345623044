"""JSON Web Tokens, signed by the openssl command; none of the gateway's code makes or reads them."""

import base64
import hashlib
import hmac
import json
import time

from live.certificates import openssl

COORDINATE = 32  # bytes, of P-256


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def raw_signature(der):
    """Both numbers of an ECDSA signature, one behind the other, as tokens have them."""
    numbers, at = b"", 2
    for _ in range(2):
        size = der[at + 1]
        numbers += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(COORDINATE, b"\0")
        at += 2 + size
    return numbers


class Issuer:
    """Signs with one key: RS256, PS256 or ES256."""

    def __init__(self, folder, algorithm="RS256", kid="k", key=None):
        self.algorithm, self.kid = algorithm, kid
        self.key = key or folder / f"{algorithm}-{kid}.key"
        if key is None and algorithm == "ES256":
            openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.key)
        elif key is None:
            openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", self.key)

    def public(self, form="PEM"):
        return openssl("pkey", "-in", self.key, "-pubout", "-outform", form)

    def jwk(self):
        named = {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        if self.algorithm == "ES256":
            point = self.public("DER")[-2 * COORDINATE:]
            return {"kty": "EC", "crv": "P-256", "x": encoded(point[:COORDINATE]), "y": encoded(point[COORDINATE:]),
                    **named}
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        return {"kty": "RSA", "n": encoded(bytes.fromhex(modulus)), "e": "AQAB", **named}

    def sign(self, text):
        command = ["dgst", "-sha256", "-sign", self.key]
        if self.algorithm == "PS256":
            command += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        signature = openssl(*command, input=text)
        return raw_signature(signature) if self.algorithm == "ES256" else signature

    def token(self, header=None, sign=None, **claims):
        """`header`: its members, instead of the usual ones. `sign`: instead of the issuer's way. A claim that is None
        is left out."""
        all_claims = {"iss": "issuer", "aud": "pictory", "sub": "someone", "exp": int(time.time()) + 600, **claims}
        parts = ({"alg": self.algorithm, "kid": self.kid, "typ": "JWT"} if header is None else header,
                 {name: value for name, value in all_claims.items() if value is not None})
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{text}.{encoded((sign or self.sign)(text.encode()))}"


def with_secret(secret):
    """How HS256 signs."""
    return lambda text: hmac.new(secret, text, hashlib.sha256).digest()


def key_set(*issuers):
    return json.dumps({"keys": [issuer.jwk() for issuer in issuers]})
