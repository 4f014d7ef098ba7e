/// A tar of samples with two entries each, as `onepass pack` writes them, sorted by class.
public func sortedByClass(shard bytes: [UInt8]) -> [UInt8] {
  var entries: [(name: String, body: ArraySlice<UInt8>, all: ArraySlice<UInt8>)] = []
  var place = 0
  while place + 512 <= bytes.count, bytes[place] != 0 {
    let size = Int(String(decoding: bytes[(place + 124)..<(place + 135)], as: UTF8.self), radix: 8) ?? 0
    let end = place + 512 + (size + 511) / 512 * 512
    entries.append(
      (
        name: String(decoding: bytes[place..<(place + 100)].prefix { $0 != 0 }, as: UTF8.self),
        body: bytes[(place + 512)..<(place + 512 + size)], all: bytes[place..<end]
      ))
    place = end
  }
  let samples = stride(from: 0, to: entries.count - 1, by: 2).map { entries[$0...($0 + 1)] }
  let labelled = samples.map { sample in
    let label = sample.first { $0.name.hasSuffix(".cls") }?.body ?? []
    return (label: Int(String(decoding: label, as: UTF8.self)) ?? 0, bytes: sample.flatMap { $0.all })
  }
  return labelled.sorted { $0.label < $1.label }.flatMap { $0.bytes } + bytes[place...]
}
