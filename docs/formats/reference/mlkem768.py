"""ML-KEM-768 (FIPS 203) in plain Python: key generation from a seed, and decapsulation.

For reference only. It is NOT constant time: Python's integers, branches and lookups leak through their timing. Do not
run it where somebody can measure it while it works with a key that matters.

Only what a reader of sealed files needs is here. Encapsulation exists as the re-encryption inside decapsulation.
"""

import hashlib

Q = 3329
N = 256
K = 3
ETA = 2  # eta1 and eta2 are both 2 in this parameter set
DU = 10
DV = 4
CIPHERTEXT_BYTES = 32 * (DU * K + DV)

Polynomial = list[int]


def _bit_reversed(value: int) -> int:
    return int(f"{value:07b}"[::-1], 2)


# 17 is a primitive 256th root of unity modulo Q; FIPS 203 section 4.3 takes its powers in bit-reversed order.
_ZETAS = [pow(17, _bit_reversed(i), Q) for i in range(128)]
_GAMMAS = [pow(17, 2 * _bit_reversed(i) + 1, Q) for i in range(128)]


def generate(d: bytes, z: bytes) -> tuple[bytes, bytes]:
    """KeyGen_internal (algorithm 16).

    :param d: 32 bytes
    :param z: 32 bytes, for implicit rejection
    :returns: encapsulation key (1,184 bytes), decapsulation key (2,400 bytes)
    """
    rho, sigma = _halves(hashlib.sha3_512(d + bytes([K])).digest())
    matrix = _matrix(rho)
    secret = [_ntt(_noise(sigma, i)) for i in range(K)]
    error = [_ntt(_noise(sigma, K + i)) for i in range(K)]
    public = [_add(_inner(matrix[i], secret), error[i]) for i in range(K)]
    encapsulation_key = b"".join(_encode(p, 12) for p in public) + rho
    secret_bytes = b"".join(_encode(p, 12) for p in secret)
    return encapsulation_key, secret_bytes + encapsulation_key + hashlib.sha3_256(encapsulation_key).digest() + z


def decapsulate(decapsulation_key: bytes, ciphertext: bytes) -> bytes:
    """Decaps_internal (algorithm 18): a ciphertext that was not made for the key gives a secret nobody else has.

    :param decapsulation_key: as :func:`generate` gives it
    :param ciphertext: 1,088 bytes
    :returns: the 32-byte shared secret
    """
    if len(ciphertext) != CIPHERTEXT_BYTES:
        raise ValueError("an ML-KEM-768 ciphertext has 1,088 bytes")
    secret = decapsulation_key[: 384 * K]
    encapsulation_key = decapsulation_key[384 * K : 768 * K + 32]
    key_hash = decapsulation_key[768 * K + 32 : 768 * K + 64]
    z = decapsulation_key[768 * K + 64 :]
    message = _decrypt(secret, ciphertext)
    shared, randomness = _halves(hashlib.sha3_512(message + key_hash).digest())
    if _encrypt(encapsulation_key, message, randomness) != ciphertext:
        return hashlib.shake_256(z + ciphertext).digest(32)
    return shared


def _encrypt(encapsulation_key: bytes, message: bytes, randomness: bytes) -> bytes:
    """K-PKE.Encrypt (algorithm 14)."""
    public = [_decode(encapsulation_key[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    matrix = _matrix(encapsulation_key[384 * K :])
    y = [_ntt(_noise(randomness, i)) for i in range(K)]
    transposed = [[matrix[row][column] for row in range(K)] for column in range(K)]
    u = [_add(_inverse_ntt(_inner(transposed[i], y)), _noise(randomness, K + i)) for i in range(K)]
    v = _add(_inverse_ntt(_inner(public, y)), _noise(randomness, 2 * K))
    v = _add(v, [_decompress(bit, 1) for bit in _decode(message, 1)])
    first = b"".join(_encode([_compress(c, DU) for c in p], DU) for p in u)
    return first + _encode([_compress(c, DV) for c in v], DV)


def _decrypt(secret_bytes: bytes, ciphertext: bytes) -> bytes:
    """K-PKE.Decrypt (algorithm 15)."""
    step = 32 * DU
    u = [[_decompress(c, DU) for c in _decode(ciphertext[step * i : step * (i + 1)], DU)] for i in range(K)]
    v = [_decompress(c, DV) for c in _decode(ciphertext[step * K :], DV)]
    secret = [_decode(secret_bytes[384 * i : 384 * (i + 1)], 12) for i in range(K)]
    noise = _inverse_ntt(_inner(secret, [_ntt(p) for p in u]))
    return _encode([_compress((a - b) % Q, 1) for a, b in zip(v, noise)], 1)


def _halves(data: bytes) -> tuple[bytes, bytes]:
    return data[:32], data[32:]


def _matrix(rho: bytes) -> list[list[Polynomial]]:
    # The column index comes first in the seed (algorithm 13, line 5).
    return [[_uniform(rho + bytes([column, row])) for column in range(K)] for row in range(K)]


def _uniform(seed: bytes) -> Polynomial:
    """SampleNTT (algorithm 7).

    hashlib cannot squeeze SHAKE bit by bit, so a longer output is asked for until enough candidates were accepted; a
    longer output begins with the shorter one.
    """
    size = 672
    while True:
        stream = hashlib.shake_128(seed).digest(size)
        values: Polynomial = []
        for i in range(0, size, 3):
            a, b, c = stream[i : i + 3]
            values += [d for d in (a + ((b & 15) << 8), (b >> 4) + (c << 4)) if d < Q]
        if len(values) >= N:
            return values[:N]
        size *= 2


def _noise(seed: bytes, counter: int) -> Polynomial:
    """PRF and SamplePolyCBD with eta = 2 (algorithm 8)."""
    bits = int.from_bytes(hashlib.shake_256(seed + bytes([counter])).digest(64 * ETA), "little")
    values = []
    for _ in range(N):
        values.append(((bits & 1) + (bits >> 1 & 1) - (bits >> 2 & 1) - (bits >> 3 & 1)) % Q)
        bits >>= 2 * ETA
    return values


def _ntt(polynomial: Polynomial) -> Polynomial:
    """Algorithm 9."""
    f, i, length = list(polynomial), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = _ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length]
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(polynomial: Polynomial) -> Polynomial:
    """Algorithm 10; 3303 is the inverse of 128 modulo Q."""
    f, i, length = list(polynomial), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = _ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [c * 3303 % Q for c in f]


def _inner(left: list[Polynomial], right: list[Polynomial]) -> Polynomial:
    """Sum of products in the NTT domain (algorithms 11 and 12)."""
    total = [0] * N
    for f, g in zip(left, right):
        for i in range(128):
            a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
            total[2 * i] = (total[2 * i] + a0 * b0 + a1 * b1 * _GAMMAS[i]) % Q
            total[2 * i + 1] = (total[2 * i + 1] + a0 * b1 + a1 * b0) % Q
    return total


def _add(f: Polynomial, g: Polynomial) -> Polynomial:
    return [(a + b) % Q for a, b in zip(f, g)]


def _encode(values: Polynomial, bits: int) -> bytes:
    """ByteEncode (algorithm 5): the first value in the lowest bits."""
    packed = 0
    for value in reversed(values):
        packed = packed << bits | value
    return packed.to_bytes(32 * bits, "little")


def _decode(data: bytes, bits: int) -> Polynomial:
    """ByteDecode (algorithm 6)."""
    packed, mask = int.from_bytes(data, "little"), (1 << bits) - 1
    values = [packed >> bits * i & mask for i in range(N)]
    return [value % Q for value in values] if bits == 12 else values


def _compress(value: int, bits: int) -> int:
    # Rounds to the nearest whole number; Q is odd, so there are no ties.
    return ((value << bits) + Q // 2) // Q & ((1 << bits) - 1)


def _decompress(value: int, bits: int) -> int:
    return (value * Q + (1 << bits - 1)) >> bits
