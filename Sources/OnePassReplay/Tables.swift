import Foundation

extension Array {
  /// Appends to a table that may become large and is read at random.
  mutating func appendToTable(_ element: Element) {
    if count == capacity {
      // Requested before the first write, because existing pages stay small.
      var larger: [Element] = []
      larger.reserveCapacity(Swift.max(16, 2 * count))
      larger.useHugePages()
      larger.append(contentsOf: self)
      self = larger
    }
    append(element)
  }

  private func useHugePages() {
    let bytes = capacity * MemoryLayout<Element>.stride
    withUnsafeBufferPointer { adviseHugePages(UnsafeRawPointer($0.baseAddress), bytes: bytes) }
  }

  /// Removes an element. The last element moves to its place.
  mutating func swapRemove(_ index: Int) {
    swapAt(index, count - 1)
    removeLast()
  }
}

/// Advises the system to use pages of 2 MB, so that random reads seldom wait for the page table.
private func adviseHugePages(_ base: UnsafeRawPointer?, bytes: Int) {
  #if os(Linux)
    let pageBytes = 2 << 20
    guard let base, bytes >= 2 * pageBytes else { return }
    let first = (UInt(bitPattern: base) + UInt(pageBytes - 1)) / UInt(pageBytes) * UInt(pageBytes)
    let end = (UInt(bitPattern: base) + UInt(bytes)) / UInt(pageBytes) * UInt(pageBytes)
    // Only advice; failure is harmless.
    if first < end {
      _ = madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_HUGEPAGE)
    }
  #endif
}

/// Consecutive rows from the start of a cache line, so that no row of 32 bytes crosses two lines.
///
/// In a Swift array half of the rows cross a line, which makes a draw from a million items a fifth slower.
struct AlignedRows<Row: BitwiseCopyable>: ~Copyable {
  private var storage = UnsafeMutableBufferPointer<Row>(start: nil, count: 0)
  private(set) var count = 0

  init() {}

  deinit { UnsafeMutableRawPointer(storage.baseAddress)?.deallocate() }

  subscript(_ index: Int) -> Row {
    get {
      precondition(index >= 0 && index < count, "The row to read must exist.")
      return storage[index]
    }
    set {
      precondition(index >= 0 && index < count, "The row to replace must exist.")
      storage[index] = newValue
    }
  }

  mutating func append(_ row: Row) {
    if count == storage.count {
      let capacity = max(16, 2 * count)
      let bytes = capacity * MemoryLayout<Row>.stride
      let larger = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      // Requested before the first write, because existing pages stay small.
      adviseHugePages(larger, bytes: bytes)
      let rows = UnsafeMutableBufferPointer(
        start: larger.bindMemory(to: Row.self, capacity: capacity), count: capacity)
      _ = rows.update(fromContentsOf: storage[..<count])
      UnsafeMutableRawPointer(storage.baseAddress)?.deallocate()
      storage = rows
    }
    storage.initializeElement(at: count, to: row)
    count += 1
  }

  /// Removes a row. The last row moves to its place.
  mutating func swapRemove(_ index: Int) {
    self[index] = self[count - 1]
    count -= 1
  }
}
