import OnePassCore
import OnePassData

/// How much of the stream of a resumed run is compared with its ledger, besides the listings.
enum LedgerComparison {
  /// Every example that was taken is read again: the listing differs from that at the start, or the data was moved and has no
  /// listing.
  case everyExample
  /// Examples for which 2 % of the rest of the stream would be read, at least 64.
  case sample

  /// The number of examples to compare.
  /// - Parameters:
  ///   - taken: The number of examples that were taken.
  ///   - left: The number of examples that the run will still take.
  func count(taken: Int, left: Int) -> Int {
    switch self {
    case .everyExample: taken
    case .sample: min(taken, max(64, left / 50))
    }
  }
}

extension LedgerFile {
  /// Compares an example with the entry at its position.
  /// - Throws: `OnePassError` (`badData`) if they differ, or there is no example.
  func check(_ example: Example?, at position: Int, of source: any ExampleSource) throws {
    guard let example, try LedgerEntry(of: example) == entry(at: position) else {
      throw OnePassError.exampleDiffers(
        position, of: source.specification, location: example.flatMap { source.location(of: $0.id) })
    }
  }
}
