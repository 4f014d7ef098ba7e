// Written by Tools/reference_encryption.py.

/// A key file and images encrypted with its keys by another implementation of AES-256-GCM.
enum EncryptionReference {
  static let file = bytes([
    "4f6e6550617373206b65797320310a006465666768696a6b6c6d6e6f7071727300000000000000000000000000000000",
    "00000000000000000000000000000000030a11181f262d343b424950575e656c737a81888f969da4abb2b9c0c7ced5dc",
    "928c1055d7cf0afa08153a50224d99c65407d22f02a973808e499cc2123f824805101b26313c47525d68737e89949faa",
    "b5c0cbd6e1ecf7020d18232e39444f5a",
  ])
  /// The bytes 0 ..< 40 of position 7, without a subject.
  static let first = bytes([
    "00000000000102030405060708090a0b42386bdb6b303cd28bc19247e0a670e8cce070c5699cb1eb6392a897c5653acf",
    "c7d371a8db2b9186b924d8bffae1c3664808e93a01682400",
  ])
  /// The bytes 90 ..< 114 as 4 x 2 pixels of three channels, at position 2^40 + 1, of the subject `person 17`.
  static let second = bytes([
    "0100000032333435363738393a3b3c3d3d1c3f815d1b62c6e4755f9c9e9ccf0659109f239dd805ff8a76c99346679b3f",
    "dd02fb682b94165e",
  ])
  /// The text `waiting`, before it has a position.
  static let waiting = bytes([
    "000000001415161718191a1b1c1d1e1f0e16de0f77626b3be7fefa2845341549102cb6d5916cf6"
  ])

  private static func bytes(_ lines: [String]) -> [UInt8] {
    let digits = Array(lines.joined())
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
  }
}
