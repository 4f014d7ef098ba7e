import OnePassCore

/// All items of the memory, a column for each thing that is kept, in slots `0 ..< count` without gaps.
///
/// 20 bytes an item: position, label, draws and form 8, loss 4, the image's reference or, where it lies elsewhere, its
/// size 8. An image that is here is an array, with a header of 32 bytes: type, reference count, count, capacity. (What the
/// allocator adds, with glibc 8 bytes and up to 15 of rounding, is not counted.)
struct ItemTable {
  static let bytesPerItem =
    MemoryLayout<PackedFacts>.stride + MemoryLayout<Float>.stride + MemoryLayout<[UInt8]>.stride
  static let arrayHeaderBytes = 32

  private var facts: [PackedFacts] = []
  private var losses: [Float] = []
  /// One of the two has an entry for each item, the other none.
  private var images: [[UInt8]] = []
  private var sizes: [Int] = []
  /// The first forms of images that came, by their numbers.
  private var forms: [EncodedImage.Encoding] = [.file]
  /// By slot, what does not fit: labels from 65,536, draws from 2,048, a fourth form. Rare, and not counted.
  private var exceptions: [Int: Exception] = [:]

  /// What was read ahead: a compiler drops what nobody keeps.
  private var readAhead = 0

  private struct Exception {
    var label: Int32
    var draws: UInt32
    var form: EncodedImage.Encoding
  }

  var count: Int { facts.count }

  /// Whether the images are here.
  private var isHere: Bool { !images.isEmpty }

  // MARK: Items

  mutating func append(_ item: HeldItem) {
    facts.appendToTable(packed(item, in: count))
    losses.appendToTable(item.loss)
    switch item.image {
    case .here(let image):
      precondition(sizes.isEmpty, "A memory without images takes none in.")
      images.appendToTable(image.bytes)
    case .elsewhere(let bytes):
      sizes.appendToTable(bytes)
    }
  }

  mutating func replace(_ slot: Int, with item: HeldItem) {
    facts[slot] = packed(item, in: slot)
    losses[slot] = item.loss
    switch item.image {
    case .here(let image): images[slot] = image.bytes
    case .elsewhere(let bytes): sizes[slot] = bytes
    }
  }

  /// The last item takes the slot.
  mutating func remove(_ slot: Int) {
    if !exceptions.isEmpty {
      exceptions[slot] = nil
      exceptions[slot] = exceptions.removeValue(forKey: count - 1)
    }
    facts.swapRemove(slot)
    losses.swapRemove(slot)
    if isHere { images.swapRemove(slot) } else { sizes.swapRemove(slot) }
  }

  /// Reads what work on these slots needs, so that the waits for it overlap.
  ///
  /// An image that is handed out, or let go, is waited for where its references are counted: behind the array's type.
  mutating func readAhead(_ slots: [Int]) {
    readAhead = 0
    for slot in slots { readAhead &+= facts[slot].arrival }
    guard isHere else { return }
    images.withUnsafeBufferPointer { images in
      for slot in slots {
        let array = unsafeBitCast(images[slot], to: UnsafeRawPointer.self)
        readAhead &+= array.load(fromByteOffset: MemoryLayout<UnsafeRawPointer>.stride, as: Int.self)
      }
    }
  }

  // MARK: What is kept of one

  func arrival(of slot: Int) -> Int { facts[slot].arrival }
  func loss(of slot: Int) -> Float { losses[slot] }
  mutating func setLoss(of slot: Int, to loss: Float) { losses[slot] = loss }
  func imageBytes(of slot: Int) -> Int { isHere ? images[slot].count : sizes[slot] }

  func label(of slot: Int) -> Int32 { exception(of: slot)?.label ?? facts[slot].label }
  func draws(of slot: Int) -> UInt32 { exception(of: slot)?.draws ?? facts[slot].draws }
  private func form(of slot: Int) -> EncodedImage.Encoding {
    exception(of: slot)?.form ?? forms[facts[slot].form]
  }

  /// The image of an item, if it is here.
  func image(of slot: Int) -> EncodedImage? {
    isHere ? EncodedImage(bytes: images[slot], encoding: form(of: slot)) : nil
  }

  /// Counts a draw of an item. Returns how often it has been drawn by now.
  mutating func countDraw(of slot: Int) -> UInt32 {
    if facts[slot].countDraw() { return facts[slot].draws }
    let arrival = facts[slot].arrival
    let (label, form) = (label(of: slot), form(of: slot))
    let draws = draws(of: slot) + 1
    facts[slot] = PackedFacts(arrival: arrival, label: label, draws: draws, form: nil)
    exceptions[slot] = Exception(label: label, draws: draws, form: form)
    return draws
  }

  // MARK: Exceptions

  private func exception(of slot: Int) -> Exception? {
    facts[slot].isExceptional ? exceptions[slot] : nil
  }

  private mutating func packed(_ item: HeldItem, in slot: Int) -> PackedFacts {
    var form = EncodedImage.Encoding.file
    if case .here(let image) = item.image { form = image.encoding }
    let packed = PackedFacts(
      arrival: item.arrival, label: item.label, draws: item.draws, form: number(of: form))
    if packed.isExceptional {
      exceptions[slot] = Exception(label: item.label, draws: item.draws, form: form)
    } else if !exceptions.isEmpty {
      exceptions[slot] = nil
    }
    return packed
  }

  /// The number of a form, which it gets if there are any left.
  private mutating func number(of form: EncodedImage.Encoding) -> Int? {
    if let number = forms.firstIndex(of: form) { return number }
    guard forms.count < PackedFacts.formLimit else { return nil }
    forms.append(form)
    return forms.count - 1
  }
}
