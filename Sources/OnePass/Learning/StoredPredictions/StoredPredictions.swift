import OnePassCore
import OnePassReplay
import OnePassTorch

/// Notes with the model's last prediction for each image, which becomes part of the targets of its replays.
///
/// Source: dark experience replay (Buzzega et al. 2020), temporal ensembling (Laine and Aila 2017).
struct StoredPredictions: ReplayNotes {
  /// w, the weight of the stored prediction in a target, 0 … 1.
  private let share: Double
  private let classes: Int

  init(_ configuration: RunConfiguration, classes: Int) {
    share = configuration.memory.storedPredictions
    self.classes = classes
  }

  func notes(of logits: Tensor) throws -> () throws -> [ItemNote] {
    let count = min(StoredPrediction.mostClasses, logits.shape[1])
    let (ids, values) = try topProbabilities(logits, count: count)
    let (fetchedIDs, fetchedValues) = (try ids.fetched(), try values.fetched())
    return {
      let (ids, probabilities) = (try fetchedIDs.integers(), try fetchedValues.floats())
      return stride(from: 0, to: ids.count, by: count).map { start in
        let row = start..<start + count
        return StoredPrediction(classes: ids[row].map { Int($0) }, probabilities: Array(probabilities[row]))
          .note
      }
    }
  }

  /// q = (1 − w)·t + w·stored.
  func change(_ targets: inout [Float], by notes: [ItemNote]) throws {
    for (row, note) in notes.enumerated() {
      guard let prediction = StoredPrediction(note), prediction.isPossible(over: classes) else {
        throw OnePassError.invalidStoredPrediction
      }
      for (id, probability) in prediction.distribution(over: classes).enumerated() {
        let place = row * classes + id
        targets[place] = Float(1 - share) * targets[place] + Float(share) * probability
      }
    }
  }

  static var bytesPerItem: Int { StoredPrediction.bytes }

  static func check(_ plan: TrainingPlan, of source: String) throws {
    guard plan.classes > StoredPrediction.classLimit else { return }
    throw OnePassError.tooManyClassesToStorePredictions(
      plan.classes, of: source, limit: StoredPrediction.classLimit)
  }

  static let column = "prediction"
  static func text(of note: ItemNote) -> String { StoredPrediction(note)?.text ?? "" }
  static func note(fromText text: Substring) -> ItemNote? { StoredPrediction(text: text)?.note }
}
