import OnePassCore

extension ProcessGroup {
  /// Checks that a value is the same on all processes.
  /// - Parameters:
  ///   - name: The name of the value in the message, for example `--seed`.
  ///   - value: The bytes to compare.
  /// - Throws: `OnePassError` (`usage`), the same on every process, with the ranks that differ.
  public func ensureAgreement(of name: String, _ value: [UInt8]) throws {
    try ensureAgreement(of: name, value) { _ in nil }
  }

  /// Checks that a text is the same on all processes; the message shows the different texts.
  /// - Throws: `OnePassError` (`usage`), the same on every process, with the ranks that differ.
  public func ensureAgreement(of name: String, _ value: String) throws {
    try ensureAgreement(of: name, Array(value.utf8)) { String(decoding: $0, as: UTF8.self) }
  }

  /// Checks that the names, order, shapes and every bit of tensors are the same on all processes.
  ///
  /// It compares 64-bit digests, which two different tensors share with a probability of 2⁻⁶⁴.
  /// - Throws: `OnePassError` (`usage`), the same on every process, with the first tensor that differs and the ranks.
  public func ensureAgreement(of name: String, _ tensors: StateDictionary) throws {
    try ensureAgreement(of: "the names in \(name)", Array(tensors.names.joined(separator: "\n").utf8))
    let digests = try tensors.entries.map { try digest(of: $0.tensor) }
    let all = try gather(digests.withUnsafeBytes { Array($0) })
    guard
      let differing = digests.indices.first(where: { index in
        all.contains { $0[8 * index..<8 * index + 8] != all[0][8 * index..<8 * index + 8] }
      })
    else { return }
    try throwDisagreement(
      on: "\(tensors.names[differing]) in \(name)", all.map { Array($0[8 * differing..<8 * differing + 8]) }
    ) { _ in nil }
  }

  private func ensureAgreement(of name: String, _ value: [UInt8], describe: ([UInt8]) -> String?) throws {
    let values = try gather(value)
    if values.contains(where: { $0 != values[0] }) {
      try throwDisagreement(on: name, values, describe: describe)
    }
  }

  private func throwDisagreement(
    on name: String, _ values: [[UInt8]], describe: ([UInt8]) -> String?
  ) throws {
    var camps: [(value: [UInt8], ranks: [Int])] = []
    for (rank, value) in values.enumerated() {
      if let camp = camps.firstIndex(where: { $0.value == value }) {
        camps[camp].ranks.append(rank)
      } else {
        camps.append((value, [rank]))
      }
    }
    // The largest camp first: it probably has the intended value.
    camps.sort { ($1.ranks.count, $0.ranks[0]) < ($0.ranks.count, $1.ranks[0]) }
    throw OnePassError.ranksDisagree(on: name, camps.map { ($0.ranks, describe($0.value)) })
  }

  /// Returns a hash of the shape and every bit of the elements.
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
