"""Writes a key file and two encrypted images with PyCA's cryptography, to which OnePassReplayTests compares MemoryKeys.

pip install cryptography==50.0.2; python Tools/reference_encryption.py > Tests/OnePassReplayTests/EncryptionReference.swift
"""

import hashlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

salt = bytes(range(100, 116))
run_key = bytes((7 * i + 3) % 256 for i in range(32))
subject_key = bytes((11 * i + 5) % 256 for i in range(32))
subject = "person 17"


def sealed(key, number, nonce, image, position, shape=(0, 0, 0)):
    bound = struct.pack("<5q", position, number, *shape)
    text = AESGCM(key).encrypt(nonce, image, bound)
    ciphertext, tag = text[:-16], text[-16:]
    return struct.pack("<I", number) + nonce + tag + ciphertext


file = b"OnePass keys 1\n\0" + salt + bytes(32) + run_key
file += hashlib.sha256(salt + subject.encode()).digest() + subject_key
first = sealed(run_key, 0, bytes(range(12)), bytes(range(40)), 7)
second = sealed(subject_key, 1, bytes(range(50, 62)), bytes(range(90, 114)), 2**40 + 1, (4, 2, 3))
waiting = sealed(run_key, 0, bytes(range(20, 32)), b"waiting", -1)


def constant(name, data):
    lines = [data.hex()[i : i + 96] for i in range(0, len(data.hex()), 96)]
    body = "\n".join(f'    "{line}",' for line in lines)
    return f"  static let {name} = bytes([\n{body}\n  ])"


print("// Written by Tools/reference_encryption.py.")
print("\n/// A key file and images encrypted with its keys by another implementation of AES-256-GCM.")
print("enum EncryptionReference {")
print(constant("file", file))
print("  /// The bytes 0 ..< 40 of position 7, without a subject.")
print(constant("first", first))
print("  /// The bytes 90 ..< 114 as 4 x 2 pixels of three channels, at position 2^40 + 1, of the subject `person 17`.")
print(constant("second", second))
print("  /// The text `waiting`, before it has a position.")
print(constant("waiting", waiting))
print(
    """
  private static func bytes(_ lines: [String]) -> [UInt8] {
    let digits = Array(lines.joined())
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
  }
}"""
)
