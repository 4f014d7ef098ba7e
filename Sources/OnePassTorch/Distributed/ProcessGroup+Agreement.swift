import OnePassCore

extension ProcessGroup {
  /// Makes sure that a value is the same on all processes.
  ///
  /// - Parameters:
  ///   - name: what it is, as the middle of a sentence: `the seed`.
  ///   - value: its bytes.
  /// - Throws: `OnePassError` (`usage`), the same on every process, that says which ranks differ.
  public func ensureAgreement(of name: String, _ value: [UInt8]) throws {
    try ensureAgreement(of: name, value) { _ in nil }
  }

  /// Makes sure that a text is the same on all processes; the sentence shows those that differ.
  public func ensureAgreement(of name: String, _ value: String) throws {
    try ensureAgreement(of: name, Array(value.utf8)) { String(decoding: $0, as: UTF8.self) }
  }

  /// Makes sure that tensors are the same on all processes, to the last bit, in the order in which they are given.
  ///
  /// What is compared are numbers that two tensors share by an accident of 1 in 2^64.
  /// - Throws: `OnePassError` (`usage`), the same on every process, that names the first tensor that differs, and the ranks.
  public func ensureAgreement(of name: String, _ tensors: StateDictionary) throws {
    try ensureAgreement(of: "the names in \(name)", Array(tensors.names.joined(separator: "\n").utf8))
    let digests = try tensors.entries.map { try digest(of: $0.tensor) }
    let all = try gather(digests.withUnsafeBytes { Array($0) })
    guard
      let differing = digests.indices.first(where: { index in
        all.contains { $0[8 * index..<8 * index + 8] != all[0][8 * index..<8 * index + 8] }
      })
    else { return }
    try complain(
      name: "\(tensors.names[differing]) in \(name)", all.map { Array($0[8 * differing..<8 * differing + 8]) }
    ) { _ in nil }
  }

  private func ensureAgreement(of name: String, _ value: [UInt8], describe: ([UInt8]) -> String?) throws {
    let values = try gather(value)
    if values.contains(where: { $0 != values[0] }) { try complain(name: name, values, describe: describe) }
  }

  private func complain(name: String, _ values: [[UInt8]], describe: ([UInt8]) -> String?) throws {
    var camps: [(value: [UInt8], ranks: [Int])] = []
    for (rank, value) in values.enumerated() {
      if let camp = camps.firstIndex(where: { $0.value == value }) {
        camps[camp].ranks.append(rank)
      } else {
        camps.append((value, [rank]))
      }
    }
    // The largest camp is taken to be what was meant.
    camps.sort { ($1.ranks.count, $0.ranks[0]) < ($0.ranks.count, $1.ranks[0]) }
    let parts = camps.prefix(4).enumerated().map { index, camp in
      let shown = describe(camp.value).map { " \($0.count <= 80 ? $0 : "\($0.prefix(80))…")" }
      let whose = ranks(camp.ranks)
      let who = index == 0 ? whose : "r\(whose.dropFirst())"
      return "\(who) \(camp.ranks.count == 1 ? "has" : "have")\(shown ?? (index == 0 ? " one" : " another"))"
    }
    let rest = camps.count > parts.count ? " and so on" : ""
    throw OnePassError(
      .usage,
      "The ranks do not agree on \(name): \(parts.joined(separator: ", "))\(rest); start every rank with the same program, "
        + "options and files.")
  }

  /// A number that follows from shape, type and every bit of the elements.
  private func digest(of tensor: Tensor) throws -> UInt64 {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ value: UInt64) {
      state = (state ^ value) &* 0x9E37_79B9_7F4A_7C15
      state ^= state >> 29
    }
    for size in tensor.shape { mix(UInt64(size)) }
    switch tensor.elementType {
    case .float32: for value in try tensor.floats() { mix(UInt64(value.bitPattern)) }
    case .int64: for value in try tensor.integers() { mix(UInt64(bitPattern: value)) }
    }
    return state
  }
}
