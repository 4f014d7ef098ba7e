import OnePassCore

// Records of a run besides its checkpoints: ledger, logs, images of its memory.
extension OnePassError {
  static func noLedger(in path: String, isMultiEpoch: Bool) -> OnePassError {
    let reason =
      isMultiEpoch ? "multi-epoch training keeps all data" : "an earlier version of onepass trained the run"
    return OnePassError(.io, "\(path) has no ledger, because \(reason).")
  }

  // MARK: Logs

  /// - Parameter texts: The values of `--log`.
  static func logRepeated(_ texts: [String]) -> OnePassError {
    OnePassError(
      .usage, "--log \(texts.joined(separator: " --log ")) repeats a destination; pass each once.")
  }

  static var noLogAmongOthers: OnePassError {
    OnePassError(.usage, "--log none cannot be combined with other logs; pass it alone, or omit it.")
  }

  static func unknownLog(_ text: String, known: [String]) -> OnePassError {
    OnePassError(.usage, "--log \(text) is unknown; use \(known.joined(separator: ", ")) or none.")
  }

  static func inaccessibleEventFile(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(.io, "\(path) cannot be read or changed; check its permissions and the disk.", cause: cause)
  }

  // MARK: Images of the memory

  /// Why a finished run has no images of its memory.
  enum KeptImagesAbsence: Sendable {
    case outlivedByTimeToLive, removed, notRequested
  }

  /// - Parameter checkpoint: The checkpoint folder of the run.
  static func noKeptImages(in checkpoint: String, _ absence: KeptImagesAbsence) -> OnePassError {
    let reason =
      switch absence {
      case .outlivedByTimeToLive: "they would outlive its --time-to-live."
      case .removed: "its folder `pictures` was removed."
      case .notRequested: "train with --keep-pictures N to keep some."
      }
    return OnePassError(.io, "\(checkpoint) has no copies of images of the memory; \(reason)")
  }

  static func damagedKeptImages(_ path: String, cause: any Error) -> OnePassError {
    OnePassError(
      .badData,
      "\(path) is damaged; remove this folder, which only `onepass memory inspect` reads.", cause: cause)
  }
}
