import CImages

/// Tables that replace each of the 256 levels of each channel, in Pillow's arithmetic.
///
/// Not Sendable, because it reuses its memory.
final class LevelTables {
  private let channels: Int
  private let tables = ScratchBuffer<UInt8>(zero: 0)
  private let counts = ScratchBuffer<UInt32>(zero: 0)

  init(channels: Int) {
    self.channels = channels
    tables.reserve(256 * channels)
    counts.reserve(256 * channels)
  }

  /// Replaces the levels of an image of `count` elements.
  func apply(to levels: UnsafeMutablePointer<UInt8>, count: Int) {
    cimages_replace_levels(levels, count, Int32(channels), tables.base)
  }

  /// Sets the same table for all channels.
  func fill(_ table: (Int) -> UInt8) {
    for level in 0..<256 {
      let value = table(level)
      for channel in 0..<channels { tables.base[256 * channel + level] = value }
    }
  }

  /// Blends each level with a grey level; a factor over 1 moves levels away from it (`ImageEnhance`).
  func blend(with grey: Int, factor: Double) {
    let factor = Float(factor)
    fill { UInt8(max(0, min(255, Float(grey) + factor * Float($0 - grey)))) }
  }

  /// Maps the lowest level of each channel to 0 and the highest to 255 (`ImageOps.autocontrast`).
  func stretch(_ levels: UnsafePointer<UInt8>, count: Int) {
    self.count(levels, count)
    for channel in 0..<channels {
      let (table, counts) = (tables.base + 256 * channel, counts.base + 256 * channel)
      let lowest = (0..<256).first { counts[$0] > 0 } ?? 0
      let highest = (0..<256).last { counts[$0] > 0 } ?? 255
      let scale = highest > lowest ? 255 / Double(highest - lowest) : 1
      let offset = highest > lowest ? -Double(lowest) * scale : 0
      for level in 0..<256 { table[level] = UInt8(max(0, min(255, Double(level) * scale + offset))) }
    }
  }

  /// Makes all levels of each channel about equally frequent (`ImageOps.equalize`).
  func equalise(_ levels: UnsafePointer<UInt8>, count: Int) {
    self.count(levels, count)
    for channel in 0..<channels {
      let (table, counts) = (tables.base + 256 * channel, counts.base + 256 * channel)
      let highest = (0..<256).last { counts[$0] > 0 } ?? 255
      // The step is 0 for a channel with a single level, which then stays.
      let step = (count / channels - Int(counts[highest])) / 255
      var sum = step / 2
      for level in 0..<256 {
        table[level] = step > 0 ? UInt8(min(255, sum / step)) : UInt8(level)
        sum += Int(counts[level])
      }
    }
  }

  private func count(_ levels: UnsafePointer<UInt8>, _ count: Int) {
    counts.base.update(repeating: 0, count: 256 * channels)
    cimages_count_levels(levels, count, Int32(channels), counts.base)
  }
}
