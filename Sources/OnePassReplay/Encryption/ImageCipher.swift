import CCrypto
import OnePassCore

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) with random nonces, of OpenSSL.
///
/// A sealed message is the nonce, the tag and the ciphertext. With random nonces, a key must not seal more than 2^32 messages
/// (SP 800-38D, section 8.3). Used on one thread.
final class ImageCipher {
  static let keyBytes = 32
  private static let nonceBytes = 12
  private static let tagBytes = 16
  /// The bytes that a sealed message has beyond its plaintext.
  static let overheadBytes = nonceBytes + tagBytes

  private let algorithm: OpaquePointer
  private let context: OpaquePointer

  init() throws {
    // Fetched once, because looking it up costs more than sealing a small image.
    guard let algorithm = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
      throw OnePassError.encryptionFailed("fetch AES-256-GCM")
    }
    guard let context = EVP_CIPHER_CTX_new() else {
      EVP_CIPHER_free(algorithm)
      throw OnePassError.encryptionFailed("allocate a context")
    }
    (self.algorithm, self.context) = (algorithm, context)
  }

  deinit {
    // Overwrites the key schedule.
    EVP_CIPHER_CTX_free(context)
    EVP_CIPHER_free(algorithm)
  }

  /// Overwrites bytes of a key, which the compiler must not omit.
  static func overwrite(_ keys: inout [UInt8], in range: Range<Int>) {
    keys.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress.map { $0 + range.lowerBound }, range.count) }
  }

  /// Returns random bytes for keys.
  static func random(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_priv_bytes(&bytes, Int32(count)) == 1 else {
      throw OnePassError.encryptionFailed("draw random bytes")
    }
    return bytes
  }

  /// SHA-256 of bytes.
  static func hash(_ bytes: [UInt8]) throws -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
      throw OnePassError.encryptionFailed("compute SHA-256")
    }
    return digest
  }

  /// Encrypts a message.
  /// - Parameters:
  ///   - key: 32 bytes.
  ///   - bound: Bytes that are not stored, and must be the same when the message is opened.
  ///   - sealed: Receives `overheadBytes` more than the message has.
  func seal(
    _ message: UnsafeBufferPointer<UInt8>, key: UnsafePointer<UInt8>, bound: [UInt8],
    into sealed: UnsafeMutableBufferPointer<UInt8>
  ) throws {
    guard let nonce = sealed.baseAddress else { return }
    let (tag, ciphertext) = (nonce + Self.nonceBytes, nonce + Self.overheadBytes)
    var length: Int32 = 0
    guard RAND_bytes(nonce, Int32(Self.nonceBytes)) == 1,
      EVP_EncryptInit_ex(context, algorithm, nil, key, nonce) == 1,
      EVP_EncryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
      update(message, into: ciphertext, with: EVP_EncryptUpdate),
      EVP_EncryptFinal_ex(context, ciphertext + message.count, &length) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagBytes), tag) == 1
    else { throw OnePassError.encryptionFailed("encrypt") }
  }

  /// Decrypts a message.
  /// - Parameter message: Receives `overheadBytes` fewer than the sealed message has. Must not be used if it is not authentic.
  /// - Returns: Whether the message is authentic: the key is right, and no byte has changed.
  func open(
    _ sealed: UnsafeBufferPointer<UInt8>, key: UnsafePointer<UInt8>, bound: [UInt8],
    into message: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    guard let nonce = sealed.baseAddress, sealed.count >= Self.overheadBytes else { return false }
    let tag = UnsafeMutableRawPointer(mutating: nonce + Self.nonceBytes)
    let ciphertext = UnsafeBufferPointer(rebasing: sealed[Self.overheadBytes...])
    var (length, none) = (Int32(0), UInt8(0))
    guard EVP_DecryptInit_ex(context, algorithm, nil, key, nonce) == 1,
      EVP_DecryptUpdate(context, nil, &length, bound, Int32(bound.count)) == 1,
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagBytes), tag) == 1
    else { return false }
    if let start = message.baseAddress, !update(ciphertext, into: start, with: EVP_DecryptUpdate) {
      return false
    }
    return EVP_DecryptFinal_ex(context, &none, &length) == 1
  }

  private typealias Update = (
    OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<Int32>?, UnsafePointer<UInt8>?, Int32
  ) -> Int32

  /// Passes bytes in parts, because OpenSSL counts them in 32 bits.
  private func update(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutablePointer<UInt8>, with step: Update
  ) -> Bool {
    var offset = 0
    while offset < input.count, let start = input.baseAddress {
      var length: Int32 = 0
      let part = min(1 << 30, input.count - offset)
      guard step(context, output + offset, &length, start + offset, Int32(part)) == 1 else { return false }
      offset += part
    }
    return true
  }
}
