import OnePassCore

/// All items of the memory in slots `0 ..< count` without gaps, with their images or, where those lie elsewhere, their
/// sizes.
///
/// 20 bytes an item: position, label, draws and form 8, where the image is and its size 8, loss 4; 4 more where draws decide
/// about choices, and 12 more where predictions are kept. (What the allocator adds to an image, with glibc 8 bytes and up to 15 of
/// rounding, is not counted.)
///
/// A value: a copy has images of its own as soon as one of the two is changed.
struct ItemTable {
  private var columns = Columns()
  /// Whether draws have a column of their own, and are never rounded.
  private let countsDrawsApart: Bool
  private let keepsPredictions: Bool

  init(countsDrawsApart: Bool, keepsPredictions: Bool) {
    self.countsDrawsApart = countsDrawsApart
    self.keepsPredictions = keepsPredictions
  }

  var bytesPerItem: Int {
    MemoryLayout<ItemRow>.stride + MemoryLayout<Float>.stride
      + (countsDrawsApart ? MemoryLayout<UInt32>.stride : 0)
      + (keepsPredictions ? MemoryLayout<StoredPrediction>.stride : 0)
  }

  /// Owns the blocks that its rows tell of.
  private final class Columns {
    // Unchecked because nothing runs while one of them is changed.
    @exclusivity(unchecked) var rows: [ItemRow] = []
    @exclusivity(unchecked) var losses: [Float] = []
    @exclusivity(unchecked) var draws: [UInt32] = []
    @exclusivity(unchecked) var predictions: [StoredPrediction] = []
    /// `nil` where the images lie elsewhere.
    var blocks: ImageBlocks?

    init() {}

    init(copying other: Columns) {
      (rows, losses, draws) = (other.rows, other.losses, other.draws)
      predictions = other.predictions
      guard other.blocks != nil else { return }
      let blocks = ImageBlocks()
      self.blocks = blocks
      for slot in rows.indices { rows[slot] = ItemRow(copying: rows[slot], to: blocks) }
    }

    deinit {
      guard let blocks else { return }
      for row in rows { blocks.remove(row.block, size: row.blockBytes, isOverwritten: false) }
    }
  }

  var count: Int { columns.rows.count }

  // MARK: Items

  mutating func append(_ item: HeldItem) {
    makeUnique()
    let row: ItemRow
    switch item.image {
    case .here(let image):
      precondition(count == 0 || columns.blocks != nil, "A memory without images takes none in.")
      let blocks = columns.blocks ?? ImageBlocks()
      columns.blocks = blocks
      row = ItemRow(item, image: image, in: blocks)
    case .elsewhere(let bytes):
      precondition(columns.blocks == nil, "A memory with images keeps all of them.")
      row = ItemRow(item, bytesElsewhere: bytes)
    }
    columns.rows.appendToTable(row)
    columns.losses.appendToTable(item.loss)
    if countsDrawsApart { columns.draws.appendToTable(item.draws) }
    if let prediction = item.prediction { columns.predictions.appendToTable(prediction) }
  }

  mutating func replace(_ slot: Int, with item: HeldItem) {
    makeUnique()
    columns.losses[slot] = item.loss
    if countsDrawsApart { columns.draws[slot] = item.draws }
    if let prediction = item.prediction { columns.predictions[slot] = prediction }
    switch item.image {
    case .here(let image):
      guard let blocks = columns.blocks else { preconditionFailure("A memory without images takes none in.") }
      // First out, then in; where the new one is as large as the old one, in its place.
      let old = columns.rows[slot]
      let size = ItemRow.frontBytes(of: image, label: item.label) + image.byteCount
      if size != old.blockBytes || blocks.isOnLoan(old.block) {
        blocks.remove(old.block, size: old.blockBytes, isOverwritten: false)
        columns.rows[slot] = ItemRow(item, image: image, in: blocks)
      } else {
        columns.rows[slot] = ItemRow(item, image: image, at: old.block)
      }
    case .elsewhere(let bytes):
      columns.rows[slot] = ItemRow(item, bytesElsewhere: bytes)
    }
  }

  /// The last item takes the slot.
  /// - Parameter isOverwritten: Whether the image's bytes must not stay behind in RAM.
  mutating func remove(_ slot: Int, isOverwritten: Bool) {
    makeUnique()
    let row = columns.rows[slot]
    columns.blocks?.remove(row.block, size: row.blockBytes, isOverwritten: isOverwritten)
    columns.rows.swapRemove(slot)
    columns.losses.swapRemove(slot)
    if countsDrawsApart { columns.draws.swapRemove(slot) }
    if keepsPredictions { columns.predictions.swapRemove(slot) }
  }

  private mutating func makeUnique() {
    if !isKnownUniquelyReferenced(&columns) { columns = Columns(copying: columns) }
  }

  // MARK: What is kept of one

  func arrival(of slot: Int) -> Int { columns.rows[slot].facts.arrival }
  func draws(of slot: Int) -> UInt32 {
    countsDrawsApart ? columns.draws[slot] : columns.rows[slot].facts.draws
  }
  func loss(of slot: Int) -> Float { columns.losses[slot] }

  mutating func setLoss(of slot: Int, to loss: Float) {
    makeUnique()
    columns.losses[slot] = loss
  }

  func prediction(of slot: Int) -> StoredPrediction? { keepsPredictions ? columns.predictions[slot] : nil }

  mutating func setPrediction(of slot: Int, to prediction: StoredPrediction) {
    makeUnique()
    columns.predictions[slot] = prediction
  }

  func label(of slot: Int) -> Int32 {
    let row = columns.rows[slot]
    guard row.facts.form == .unusual else { return row.facts.label }
    return columns.blocks == nil ? row.labelElsewhere : row.front.label
  }

  func imageBytes(of slot: Int) -> Int {
    columns.blocks == nil ? columns.rows[slot].bytesElsewhere : columns.rows[slot].bytes
  }

  /// What an unusual image takes more than its bytes.
  func frontBytes(of slot: Int) -> Int { columns.blocks == nil ? 0 : columns.rows[slot].frontBytes }

  var frontBytes: Int { (0..<count).reduce(0) { $0 + frontBytes(of: $1) } }

  /// Counts a draw of an item. Returns how often it has been drawn by now.
  mutating func countDraw(of slot: Int) -> UInt32 {
    makeUnique()
    guard countsDrawsApart else { return columns.rows[slot].facts.countDraw() }
    columns.draws[slot] += 1
    return columns.draws[slot]
  }

  // MARK: Images

  /// Lends the images of these slots, as long as anybody keeps them; `nil` where they lie elsewhere.
  ///
  /// The waits for their rows overlap.
  func lend(_ slots: [Int]) -> Loan? {
    columns.blocks.map { blocks in blocks.lend(slots.map { columns.rows[$0].block }) }
  }

  /// The image of an item, if it is here.
  /// - Parameter loan: Of this slot among others; nothing else keeps the image where it is.
  func image(of slot: Int, on loan: Loan) -> EncodedImage {
    columns.rows[slot].image(on: loan)
  }

  /// Reads what replacing these slots needs, so that the waits for it overlap.
  func readAhead(_ slots: [Int]) -> Int {
    var sum = 0
    for slot in slots { sum &+= Int(columns.losses[slot].bitPattern) &+ columns.rows[slot].facts.arrival }
    guard columns.blocks != nil else { return sum }
    for slot in slots { sum &+= columns.rows[slot].firstByte }
    return sum
  }
}
