import Foundation

extension Array {
  /// Appends to what may become a large table that is read here and there.
  mutating func appendToTable(_ element: Element) {
    if count == capacity {
      // Asked for before anything is written: what has a page keeps it.
      var larger: [Element] = []
      larger.reserveCapacity(Swift.max(16, 2 * count))
      larger.useHugePages()
      larger.append(contentsOf: self)
      self = larger
    }
    append(element)
  }

  /// Asks the system for pages of 2 MB, so that reading here and there seldom waits for the page table.
  private func useHugePages() {
    #if os(Linux)
      let pageBytes = 2 << 20
      guard capacity * MemoryLayout<Element>.stride >= 2 * pageBytes else { return }
      let bytes = capacity * MemoryLayout<Element>.stride
      withUnsafeBufferPointer { buffer in
        guard let base = UnsafeRawPointer(buffer.baseAddress) else { return }
        let first = (UInt(bitPattern: base) + UInt(pageBytes - 1)) / UInt(pageBytes) * UInt(pageBytes)
        let end = (UInt(bitPattern: base) + UInt(bytes)) / UInt(pageBytes) * UInt(pageBytes)
        // Only advice: what the system cannot do, it leaves.
        if first < end {
          _ = madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_HUGEPAGE)
        }
      }
    #endif
  }

  /// Removes an element; the last one takes its place.
  mutating func swapRemove(_ index: Int) {
    swapAt(index, count - 1)
    removeLast()
  }
}
