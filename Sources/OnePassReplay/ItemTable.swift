import OnePassCore

/// All items of the memory in slots `0 ..< count` without gaps, with their images, or with the sizes of images that are stored
/// elsewhere.
///
/// 36 bytes per item: the ``ItemRow`` 32, the loss 4; and those of a note if notes are stored. The overhead of the allocator per
/// image (with glibc 8 bytes and up to 15 of rounding) is not counted; ``allocatorBytes`` has it.
///
/// A value type: a copy gets its own images as soon as one of the two is changed.
struct ItemTable {
  private var columns: Columns

  init(noteBytes: Int) { columns = Columns(noteBytes: noteBytes) }

  var bytesPerItem: Int {
    MemoryLayout<ItemRow>.stride + MemoryLayout<Float>.stride + columns.notes.stride
  }

  /// Owns the blocks that its rows refer to.
  private final class Columns {
    // Unchecked because nothing runs while one of them is changed.
    @exclusivity(unchecked) var rows = AlignedRows<ItemRow>()
    @exclusivity(unchecked) var losses: [Float] = []
    @exclusivity(unchecked) var notes: NoteColumn
    /// `nil` if the images are stored elsewhere.
    var blocks: ImageBlocks?

    init(noteBytes: Int) { notes = NoteColumn(stride: noteBytes) }

    init(copying other: Columns) {
      (losses, notes) = (other.losses, other.notes)
      blocks = other.blocks.map { _ in ImageBlocks() }
      for slot in 0..<other.rows.count {
        let row = other.rows[slot]
        rows.append(blocks.map { ItemRow(copying: row, to: $0) } ?? row)
      }
    }

    deinit {
      guard let blocks else { return }
      for slot in 0..<rows.count {
        blocks.remove(rows[slot].block, size: rows[slot].bytes, isOverwritten: false)
      }
    }
  }

  var count: Int { columns.rows.count }

  /// The bytes that the allocator reserves beyond those of the images; `nil` if the images are stored elsewhere, or the
  /// allocator is unknown.
  var allocatorBytes: Int? {
    guard columns.blocks != nil else { return nil }
    var sum = 0
    for slot in 0..<count {
      guard let bytes = ImageBlocks.overhead(of: columns.rows[slot].block, size: columns.rows[slot].bytes)
      else { return nil }
      sum += bytes
    }
    return sum
  }

  // MARK: Items

  mutating func append(_ item: HeldItem) {
    makeUnique()
    let row: ItemRow
    switch item.image {
    case .here(let image):
      precondition(count == 0 || columns.blocks != nil, "A memory without images cannot insert one.")
      let blocks = columns.blocks ?? ImageBlocks()
      columns.blocks = blocks
      row = ItemRow(item, image: image, at: blocks.make(image.byteCount))
    case .elsewhere(let bytes):
      precondition(columns.blocks == nil, "A memory with images keeps all of them.")
      row = ItemRow(item, bytesElsewhere: bytes)
    }
    columns.rows.append(row)
    columns.losses.appendToTable(item.loss)
    columns.notes.append(item.note)
  }

  mutating func replace(_ slot: Int, with item: HeldItem) {
    makeUnique()
    columns.losses[slot] = item.loss
    columns.notes[slot] = item.note
    switch item.image {
    case .here(let image):
      guard let blocks = columns.blocks else {
        preconditionFailure("A memory without images cannot insert one.")
      }
      // The old image is removed first, to bound the RAM. An image of the same size replaces it in place.
      let old = columns.rows[slot]
      if image.byteCount != old.bytes || blocks.isOnLoan(old.block) {
        blocks.remove(old.block, size: old.bytes, isOverwritten: false)
        columns.rows[slot] = ItemRow(item, image: image, at: blocks.make(image.byteCount))
      } else {
        columns.rows[slot] = ItemRow(item, image: image, at: old.block)
      }
    case .elsewhere(let bytes):
      columns.rows[slot] = ItemRow(item, bytesElsewhere: bytes)
    }
  }

  /// Removes an item. The last item moves to its slot.
  /// - Parameter isOverwritten: Whether the image's bytes in RAM are overwritten.
  mutating func remove(_ slot: Int, isOverwritten: Bool) {
    makeUnique()
    let row = columns.rows[slot]
    columns.blocks?.remove(row.block, size: row.bytes, isOverwritten: isOverwritten)
    columns.rows.swapRemove(slot)
    columns.losses.swapRemove(slot)
    columns.notes.swapRemove(slot)
  }

  private mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&columns) { columns = Columns(copying: columns) }
  }

  // MARK: Facts of an item

  func arrival(of slot: Int) -> Int { columns.rows[slot].arrival }
  func label(of slot: Int) -> Int32 { columns.rows[slot].label }
  func draws(of slot: Int) -> UInt32 { columns.rows[slot].draws }
  func imageBytes(of slot: Int) -> Int { columns.rows[slot].bytes }
  func loss(of slot: Int) -> Float { columns.losses[slot] }

  mutating func setLoss(of slot: Int, to loss: Float) {
    makeUnique()
    columns.losses[slot] = loss
  }

  func note(of slot: Int) -> ItemNote? { columns.notes[slot] }

  mutating func setNote(of slot: Int, to note: ItemNote) {
    makeUnique()
    columns.notes[slot] = note
  }

  /// Counts a draw of an item, and returns its new number of draws.
  mutating func countDraw(of slot: Int) -> UInt32 {
    makeUnique()
    return columns.rows[slot].countDraw()
  }

  // MARK: Images

  /// Lends the images of these slots while the loan exists; `nil` if they are stored elsewhere.
  ///
  /// The waits for their rows overlap.
  func lend(_ slots: [Int]) -> Loan? {
    columns.blocks.map { blocks in blocks.lend(slots.map { columns.rows[$0].block }) }
  }

  /// The image of an item.
  /// - Parameter loan: A loan that includes this slot; it keeps the image in place.
  func image(of slot: Int, on loan: Loan) -> EncodedImage {
    columns.rows[slot].image(on: loan)
  }

  /// Reads the data that replacing these slots needs, so that the waits for it overlap.
  func readAhead(_ slots: [Int]) -> Int {
    var sum = 0
    for slot in slots {
      sum &+= Int(columns.losses[slot].bitPattern) &+ columns.rows[slot].arrival &+ columns.rows[slot].bytes
    }
    guard columns.blocks != nil else { return sum }
    for slot in slots { sum &+= columns.rows[slot].firstByte }
    return sum
  }
}
