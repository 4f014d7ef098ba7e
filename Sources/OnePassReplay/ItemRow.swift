import OnePassCore

/// What the memory keeps of an item but for its loss and its priority: 16 bytes, so that a draw waits for one place.
struct ItemRow: Sendable {
  var facts: PackedFacts
  /// For an image that is here, a sixteenth of its block's address in 44 bits, and in 20 bits its size or, for bare pixels,
  /// width and height; for one that lies elsewhere, label and size.
  private let place: UInt64

  private static let sizeBits = 20
  private static let sideBits = 10

  /// An item whose image lies elsewhere.
  init(_ item: HeldItem, bytesElsewhere bytes: Int) {
    precondition(bytes <= Int(UInt32.max), "An image has less than 4 GiB.")
    facts = PackedFacts(
      arrival: item.arrival, label: item.label, draws: item.draws,
      form: item.label < PackedFacts.labelLimit ? .file : .unusual)
    place = UInt64(UInt32(bitPattern: item.label)) << 32 | UInt64(bytes)
  }

  /// An item whose image is copied to a block of its own.
  init(_ item: HeldItem, image: EncodedImage, in blocks: ImageBlocks) {
    let size = Self.frontBytes(of: image, label: item.label) + image.byteCount
    self.init(item, image: image, at: blocks.make(size))
  }

  /// An item whose image is copied to a block that has its size.
  init(_ item: HeldItem, image: EncodedImage, at block: ImageBlocks.Address) {
    let (form, size) = Self.form(of: image, label: item.label)
    facts = PackedFacts(arrival: item.arrival, label: item.label, draws: item.draws, form: form)
    place = Self.place(block, size)
    let front = ImageFront(encoding: image.encoding, label: item.label, bytes: image.byteCount)
    if form == .unusual { start.storeBytes(of: front, as: ImageFront.self) }
    image.withUnsafeBufferPointer { bytes in
      guard let source = bytes.baseAddress else { return }
      (start + frontBytes).copyMemory(from: source, byteCount: bytes.count)
    }
  }

  /// The same item with a copy of its image.
  init(copying row: ItemRow, to blocks: ImageBlocks) {
    facts = row.facts
    place = Self.place(blocks.make(row.blockBytes), row.size)
    start.copyMemory(from: row.start, byteCount: row.blockBytes)
  }

  private static func place(_ block: ImageBlocks.Address, _ size: Int) -> UInt64 {
    UInt64(block >> 4) << UInt64(sizeBits) | UInt64(size)
  }

  /// How an image is described, and the 20 bits of its row.
  private static func form(of image: EncodedImage, label: Int32) -> (PackedFacts.Form, size: Int) {
    guard label < PackedFacts.labelLimit else { return (.unusual, 0) }
    switch image.encoding {
    case .file where image.byteCount < 1 << sizeBits:
      return (.file, image.byteCount)
    case .pixels(let width, let height, let channels):
      let sides = 0..<1 << sideBits
      guard channels == 1 || channels == 3, sides.contains(width), sides.contains(height),
        image.byteCount == width * height * channels
      else { return (.unusual, 0) }
      return (channels == 1 ? .grey : .colour, width << sideBits | height)
    case .file: return (.unusual, 0)
    }
  }

  /// What stands in front of an image in its block: nothing but for unusual ones.
  static func frontBytes(of image: EncodedImage, label: Int32) -> Int {
    form(of: image, label: label).0 == .unusual ? MemoryLayout<ImageFront>.stride : 0
  }

  /// As above, for a file of so many bytes.
  static func frontBytes(ofFileOf bytes: Int, label: Int32) -> Int {
    label < PackedFacts.labelLimit && bytes < 1 << sizeBits ? 0 : MemoryLayout<ImageFront>.stride
  }

  // MARK: Elsewhere

  var labelElsewhere: Int32 { Int32(truncatingIfNeeded: place >> 32) }
  var bytesElsewhere: Int { Int(place & UInt64(UInt32.max)) }

  // MARK: Here

  var block: ImageBlocks.Address { ImageBlocks.Address(place >> UInt64(Self.sizeBits)) << 4 }
  private var size: Int { Int(place & (1 << UInt64(Self.sizeBits) - 1)) }
  private var width: Int { size >> Self.sideBits }
  private var height: Int { size & (1 << Self.sideBits - 1) }

  private var start: UnsafeMutableRawPointer {
    guard let start = UnsafeMutableRawPointer(bitPattern: block) else {
      preconditionFailure("A block has an address.")
    }
    return start
  }

  /// - Precondition: The form is unusual.
  var front: ImageFront { start.load(as: ImageFront.self) }
  var frontBytes: Int { facts.form == .unusual ? MemoryLayout<ImageFront>.stride : 0 }
  var blockBytes: Int { frontBytes + bytes }

  /// The image's own.
  var bytes: Int {
    switch facts.form {
    case .file: size
    case .grey: width * height
    case .colour: 3 * width * height
    case .unusual: front.bytes
    }
  }

  private var encoding: EncodedImage.Encoding {
    switch facts.form {
    case .file: .file
    case .grey: .pixels(width: width, height: height, channels: 1)
    case .colour: .pixels(width: width, height: height, channels: 3)
    case .unusual: front.encoding
    }
  }

  /// The image where it lies, for as long as the loan lasts.
  func image(on loan: Loan) -> EncodedImage {
    let first = UnsafePointer((start + frontBytes).assumingMemoryBound(to: UInt8.self))
    return EncodedImage(lent: LentBytes(owner: loan, start: first, count: bytes), encoding: encoding)
  }

  /// For whoever wants to have waited for the block.
  var firstByte: Int { Int(start.load(as: UInt8.self)) }
}

/// What does not fit in a row: labels from 1,024, files from 1 MiB, bare pixels with a side from 1,024 or of other than one
/// or three channels. It stands in front of the image and is counted.
struct ImageFront {
  let encoding: EncodedImage.Encoding
  let label: Int32
  let bytes: Int
}
