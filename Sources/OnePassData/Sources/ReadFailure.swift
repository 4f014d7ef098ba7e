import OnePassCore

/// Why a file could not be read on; the caller knows what it is called and makes the sentence.
struct ReadFailure: Error {
  enum Kind { case io, corrupt, tooLarge }
  let kind: Kind
  let detail: String
  /// What to do where reading failed.
  var remedy = "Check the disk."

  static func corrupt(_ detail: String) -> ReadFailure { ReadFailure(kind: .corrupt, detail: detail) }

  /// The sentence for an archive of this kind and name.
  /// - Parameters:
  ///   - noun: `The shard`.
  ///   - progress: `after 3 examples read from it`.
  func error(of noun: String, _ name: String, at progress: String) -> OnePassError {
    switch kind {
    case .io: OnePassError(.io, "Could not read \(name) on \(progress): \(detail). \(remedy)")
    case .tooLarge:
      OnePassError(
        .badData,
        "\(noun) \(name) holds an entry that is too large \(progress): \(detail). Leave it out.")
    case .corrupt:
      OnePassError(
        .badData,
        "\(noun) \(name) is truncated or corrupt \(progress) (\(detail)). Fetch it or write it again.")
    }
  }
}
