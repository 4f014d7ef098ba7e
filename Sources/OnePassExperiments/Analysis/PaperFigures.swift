/// The results of the paper: top-1 in percent of ResNet-50 on ImageNet, mean over 10 orders of the data.
///
/// Source: Hu et al. 2021, Tables 1 and 2 and section 4.3.
package enum PaperFigures {
  /// One naive pass.
  package static let naive = 30.6
  /// Multi-epoch training with 90 passes.
  package static let multiEpoch90 = 76.9
  /// Uniform replay with k = 8 and 10 % storage (section 4.3).
  package static let uniform = 64.7

  /// The replay steps of Table 2.
  package static let replaySteps = [1, 3, 5, 8]
  /// The storage budgets of Table 2, as shares of the stream.
  package static let storages = [0.01, 0.05, 0.1]

  private static let table2: [Int: (replay: [Double], multiEpoch: Double)] = [
    1: ([44.7, 45.1, 45.7], 46.1), 3: ([55.5, 57.1, 57.2], 59.0), 5: ([58.9, 61.3, 62.2], 64.1),
    8: ([59.3, 63.2, 65.0], 68.2),
  ]

  /// Prioritised replay in Table 2 with a storage as a share of the stream; `nil` for other settings.
  package static func replay(k: Int, storage: Double) -> Double? {
    guard let row = table2[k], let column = storages.firstIndex(of: storage) else { return nil }
    return row.replay[column]
  }

  /// Multi-epoch training in Table 1 or 2; `nil` for other numbers of passes.
  package static func multiEpoch(_ epochs: Int) -> Double? {
    epochs == 90 ? multiEpoch90 : table2[epochs - 1]?.multiEpoch
  }
}
