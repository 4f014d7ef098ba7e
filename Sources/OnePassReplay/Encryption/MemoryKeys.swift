import OnePassCore

/// The keys with which images of replay memories are encrypted on disk: one for each subject, and one for all other images.
///
/// Once a key is destroyed, no copy of an image that it encrypted can be read again, wherever the copy is: in a snapshot, in a
/// backup, or in a block that the drive has replaced.
///
/// ```swift
/// let keys = try MemoryKeys(file: "/secure/photos.keys", creating: true)
/// let images = try DiskImages(
///   creating: "/data/memory", run: "first", capacity: .examples(6_000), imageBytes: 110_000, keys: keys)
/// try keys.destroy(subjects: ["person 17"])
/// ```
///
/// An encrypted image is the number of its key (4 bytes), a random nonce (12), the tag (16), and the ciphertext of AES-256-GCM
/// (NIST SP 800-38D). Its position and format are authenticated. Subjects are stored as salted SHA-256. Used on one thread.
public final class MemoryKeys {
  /// The bytes that an encrypted image has beyond its own.
  public static let bytesPerImage = numberBytes + ImageCipher.overheadBytes
  private static let numberBytes = 4

  /// The path of the file.
  public var path: String { file.path }
  /// Whether the file was created when it was opened.
  public var isNew: Bool { file.isNew }
  /// The identity of the file, by which a wrong one is detected.
  let identity: String

  private let file: KeyFile
  private let cipher: ImageCipher
  /// The keys by number, one after the other; zeros in place of one that was destroyed.
  private var keys: [UInt8]
  /// The number of each subject's last key, by the salted hash of the subject.
  private var numbers: [[UInt8]: Int]

  /// Opens a key file for writing, and locks it against other processes.
  /// - Parameters:
  ///   - path: The file. A new one has mode 0600.
  ///   - isCreating: Whether to create a missing file.
  /// - Throws: `OnePassError`: `io` if it is missing or cannot be read or written, `usage` if another process has it, `badData` if
  ///   it is no key file.
  public convenience init(file path: String, creating isCreating: Bool) throws {
    try self.init(path, isReading: false, isCreating: isCreating)
  }

  /// Opens a key file for reading, even while a run uses it.
  /// - Throws: `OnePassError`: `io` if it is missing or cannot be read, `badData` if it is no key file.
  public convenience init(reading path: String) throws {
    try self.init(path, isReading: true, isCreating: false)
  }

  private init(_ path: String, isReading: Bool, isCreating: Bool) throws {
    var keys: [UInt8] = []
    var numbers: [[UInt8]: Int] = [:]
    file = try KeyFile(path, isReading: isReading, isCreating: isCreating) {
      // A later key of a subject replaces one that was destroyed.
      numbers[$0.name] = keys.count / ImageCipher.keyBytes
      keys += $0.key
    }
    (self.keys, self.numbers) = (keys, numbers)
    cipher = try ImageCipher()
    hasDestroyedKeys = keys.indices.contains { number in
      number % ImageCipher.keyBytes == 0
        && keys[number..<number + ImageCipher.keyBytes].allSatisfy { $0 == 0 }
    }
    identity = file.salt.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  deinit { ImageCipher.overwrite(&keys, in: keys.indices) }

  private var count: Int { keys.count / ImageCipher.keyBytes }

  // MARK: Images

  /// Encrypts an image with the key of its subject.
  /// - Parameter id: The position to which the image is bound; `nil` before it has one.
  /// - Throws: `OnePassError` (`io`) if a new key cannot be written.
  package func seal(_ image: EncodedImage, id: Int?, subject: String?) throws -> EncodedImage {
    let number = try number(of: subject)
    let size = image.byteCount + Self.bytesPerImage
    let bytes = try [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      UnsafeMutableRawBufferPointer(bytes).storeBytes(of: UInt32(number).littleEndian, as: UInt32.self)
      try image.withUnsafeBufferPointer { plain in
        try withKey(number) {
          try cipher.seal(
            plain, key: $0, bound: Self.bound(id, image.encoding, number),
            into: UnsafeMutableBufferPointer(rebasing: bytes[Self.numberBytes..<size]))
        }
      }
      count = size
    }
    return EncodedImage(bytes: bytes, encoding: image.encoding)
  }

  /// Decrypts an image; `nil` if it is not authentic.
  /// - Throws: `OnePassError` (`badData`) if its key was destroyed.
  package func open(_ sealed: EncodedImage, id: Int?) throws -> EncodedImage? {
    guard let number = Self.number(of: sealed), number < count else { return nil }
    guard !isDestroyed(number) else { throw OnePassError.keyDestroyed(path, example: id) }
    let size = sealed.byteCount - Self.bytesPerImage
    var isAuthentic = false
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      sealed.withUnsafeBufferPointer { stored in
        isAuthentic = withKey(number) {
          cipher.open(
            UnsafeBufferPointer(rebasing: stored[Self.numberBytes...]), key: $0,
            bound: Self.bound(id, sealed.encoding, number), into: bytes)
        }
      }
      count = size
    }
    return isAuthentic ? EncodedImage(bytes: bytes, encoding: sealed.encoding) : nil
  }

  /// Whether the key of an encrypted image was destroyed.
  package func isForgotten(_ sealed: EncodedImage) -> Bool {
    Self.number(of: sealed).map { $0 < count && isDestroyed($0) } ?? false
  }

  /// Whether any key was destroyed.
  package private(set) var hasDestroyedKeys = false

  private static func number(of sealed: EncodedImage) -> Int? {
    guard sealed.byteCount >= bytesPerImage else { return nil }
    return sealed.withUnsafeBufferPointer {
      Int(UInt32(littleEndian: UnsafeRawBufferPointer($0).loadUnaligned(as: UInt32.self)))
    }
  }

  /// What is authenticated with an image, so that none can be put in the place of another.
  private static func bound(_ id: Int?, _ encoding: EncodedImage.Encoding, _ number: Int) -> [UInt8] {
    var numbers: [Int64] = [Int64(id ?? -1), Int64(number), 0, 0, 0]
    if case .pixels(let width, let height, let channels) = encoding {
      (numbers[2], numbers[3], numbers[4]) = (Int64(width), Int64(height), Int64(channels))
    }
    for index in numbers.indices { numbers[index] = numbers[index].littleEndian }
    return numbers.withUnsafeBytes { Array($0) }
  }

  // MARK: Keys

  /// Makes new keys durable. Must precede the images that they encrypt.
  /// - Throws: `OnePassError` (`io`).
  package func makeDurable() throws { try file.makeDurable() }

  /// Destroys the keys of subjects durably. Their images cannot be read again, in any memory that used this file.
  ///
  /// A later image of such a subject gets a new key.
  /// - Returns: The number of these subjects whose keys are destroyed now, earlier ones included.
  /// - Throws: `OnePassError` (`io`) if the file cannot be written.
  @discardableResult
  public func destroy(subjects: Set<String>) throws -> Int {
    var destroyed = 0
    for subject in subjects {
      guard let number = numbers[try name(of: subject)] else { continue }
      destroyed += 1
      guard !isDestroyed(number) else { continue }
      try file.destroy(number)
      ImageCipher.overwrite(&keys, in: Self.range(of: number))
      hasDestroyedKeys = true
    }
    try file.makeDurable()
    return destroyed
  }

  private func number(of subject: String?) throws -> Int {
    guard let subject else { return 0 }
    let name = try name(of: subject)
    if let number = numbers[name], !isDestroyed(number) { return number }
    let (number, key) = (count, try ImageCipher.random(ImageCipher.keyBytes))
    try file.append(.init(name: name, key: key))
    numbers[name] = number
    keys += key
    return number
  }

  private func name(of subject: String) throws -> [UInt8] {
    try ImageCipher.hash(file.salt + Array(subject.utf8))
  }

  private func isDestroyed(_ number: Int) -> Bool { keys[Self.range(of: number)].allSatisfy { $0 == 0 } }

  private static func range(of number: Int) -> Range<Int> {
    number * ImageCipher.keyBytes..<(number + 1) * ImageCipher.keyBytes
  }

  private func withKey<Result>(
    _ number: Int, _ body: (UnsafePointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    try keys.withUnsafeBufferPointer { keys in
      guard let first = keys.baseAddress else { preconditionFailure("A key file has at least one key.") }
      return try body(first + number * ImageCipher.keyBytes)
    }
  }
}
