import OnePassCore

// Ranks that fail, are lost or differ while they train together.
extension OnePassError {
  static func peerFailed(_ operation: StaticString, _ detail: String) -> OnePassError {
    OnePassError(
      .io,
      "Another process failed in \(operation) (\(detail.firstLine)); see the output of that process.",
      cause: CommunicationFailure(description: detail))
  }

  static func collectiveTimedOut(
    rank: Int, within timeout: Duration, _ detail: String
  ) -> OnePassError {
    OnePassError(
      .io,
      "Rank \(rank): a collective operation did not finish within \(timeout.inSeconds), although all ranks are running "
        + "(\(detail.firstLine)); one of them may be slower, or the network may have failed.",
      cause: CommunicationFailure(description: detail))
  }

  /// - Parameter reason: The message of the error that stopped the other rank.
  static func peerStopped(
    _ peer: Int, rank: Int, reason: String, cause: any Error
  ) -> OnePassError {
    OnePassError(.io, "Rank \(peer) failed, so rank \(rank) stops: \(reason)", cause: cause)
  }

  static func ranksLost(_ lost: [Int], rank: Int, cause: any Error) -> OnePassError {
    let (list, verb) = (RankList(lost), lost.count == 1 ? "was" : "were")
    return OnePassError(
      .io,
      "\(list.capitalised) \(verb) lost, so rank \(rank) stops; "
        + "see the output of \(list), and restart all ranks from the last checkpoint.", cause: cause)
  }

  static func groupUnreachable(
    rank: Int, _ address: String, _ port: Int, cause: any Error
  ) -> OnePassError {
    OnePassError(
      .io,
      "Rank \(rank) can reach neither the other ranks nor the store at \(endpoint(address, port)); "
        + "rank 0 or its machine was lost, or the network failed.", cause: cause)
  }

  /// - Parameters:
  ///   - name: The value that differs, such as `--seed`.
  ///   - camps: The ranks with the same value, the largest camp first, and the value if it can be printed.
  static func ranksDisagree(on name: String, _ camps: [(ranks: [Int], value: String?)]) -> OnePassError {
    let parts = camps.prefix(4).enumerated().map { index, camp in
      let value = camp.value.map { $0.count <= 80 ? $0 : "\($0.prefix(80))…" }
      let verb = camp.ranks.count == 1 ? "has" : "have"
      return "\(RankList(camp.ranks)) \(verb) \(value ?? (index == 0 ? "one value" : "another"))"
    }
    let rest = camps.count > parts.count ? " and so on" : ""
    return OnePassError(
      .usage,
      "The ranks disagree on \(name): \(parts.joined(separator: ", "))\(rest); "
        + "start every rank with the same program, options and files.")
  }
}

/// `rank 2`, `ranks 1 and 3`, `ranks 1, 2 and 5`.
struct RankList: CustomStringConvertible {
  private let ranks: [Int]

  init(_ ranks: [Int]) { self.ranks = ranks }

  private var numbers: String {
    guard let last = ranks.last, ranks.count > 1 else { return ranks.first.map { " \($0)" } ?? "" }
    return "s \(ranks.dropLast().map(String.init).joined(separator: ", ")) and \(last)"
  }

  var description: String { "rank\(numbers)" }
  /// The list at the start of a message.
  var capitalised: String { "Rank\(numbers)" }
}

/// `10.0.0.1:29500`, `[::1]:29500`.
func endpoint(_ address: String, _ port: Int) -> String {
  address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
}
