/// The quality of the predictions for incoming examples, each made before the update on it ("test, then train").
///
/// There are three weightings of the past: all predictions alike, the last ``window`` only, and weights that fade. With those,
/// E = Σ αᵃ e / Σ αᵃ, where a is the age of a prediction in later ones, and α = 1 − 1/``window``.
///
/// Sources: Blum, Kalai and Langford 1999, "progressive validation"; Gama, Sebastião and Rodrigues 2013, "On evaluating stream
/// learning algorithms".
struct OnlineMeasures: Codable, Hashable {
  /// Σ αᵃ, and the sums of correct predictions and losses with these weights.
  private struct Fading: Codable, Hashable {
    var weight = 0.0
    var correct = 0.0
    var loss = 0.0
  }

  /// The values after a step.
  struct Point: Codable, Hashable {
    var step: Int
    var online: RunResult.Online
  }

  /// The count and the correct ones of a class.
  struct ClassCount: Codable, Hashable {
    var examples = 0
    var correct = 0
  }

  /// The number of last predictions, and the mean age of the fading weights.
  static let window = 1_000
  /// α.
  static let fadingFactor = 1 - 1 / Double(window)

  private(set) var cumulative = PredictionSums()
  /// By label.
  private(set) var classes: [Int: ClassCount] = [:]
  private(set) var points: [Point] = []
  private var recent = RecentPredictions(limit: window)
  private var fading = Fading()

  mutating func add(_ online: OnlinePrediction) {
    let (isCorrect, probability) = (online.isCorrect, online.prediction.probability)
    cumulative.add(isCorrect: isCorrect, probability: probability, loss: online.loss)
    recent.add(isCorrect: isCorrect, probability: probability, loss: online.loss)
    fading.weight = 1 + Self.fadingFactor * fading.weight
    fading.correct = (isCorrect ? 1 : 0) + Self.fadingFactor * fading.correct
    fading.loss = Double(online.loss) + Self.fadingFactor * fading.loss
    classes[online.label, default: .init()].examples += 1
    classes[online.label, default: .init()].correct += isCorrect ? 1 : 0
  }

  /// The values so far; `nil` before the first prediction.
  var result: RunResult.Online? {
    let last = recent.sums
    guard let accuracy = cumulative.accuracy, let windowAccuracy = last.accuracy else { return nil }
    return RunResult.Online(
      top1: accuracy, examples: cumulative.count, loss: cumulative.meanLoss,
      calibrationError: cumulative.calibrationError,
      window: .init(
        examples: last.count, top1: windowAccuracy, loss: last.meanLoss ?? 0,
        calibrationError: last.calibrationError ?? 0),
      fading: .init(
        factor: Self.fadingFactor, top1: fading.correct / fading.weight, loss: fading.loss / fading.weight))
  }

  /// Adds a point, unless the last one has the same predictions.
  mutating func addPoint(after step: Int) {
    guard let result, points.last?.online.examples != result.examples else { return }
    points.append(Point(step: step, online: result))
  }
}

extension OnlineMeasures {
  static let fileName = "online.csv"
  static let classesFileName = "online-classes.csv"

  /// The points as comma-separated values with a header line.
  var csv: String {
    let header = """
      step,examples,accuracy,loss,calibration_error,window_accuracy,window_loss,window_calibration_error,fading_accuracy,\
      fading_loss

      """
    return points.reduce(into: header) { text, point in
      let (online, window, fading) = (point.online, point.online.window, point.online.fading)
      let values: [Double?] = [
        online.top1, online.loss, online.calibrationError, window?.top1, window?.loss,
        window?.calibrationError, fading?.top1, fading?.loss,
      ]
      let texts = values.map { $0.map { "\($0)" } ?? "" }
      text += "\(point.step),\(online.examples),\(texts.joined(separator: ","))\n"
    }
  }

  /// The accuracy by class as comma-separated values with a header line.
  /// - Parameter card: The model, which names its classes.
  func csvOfClasses(_ card: ModelCard) -> String {
    classes.sorted { $0.key < $1.key }.reduce(into: "label,name,examples,correct,accuracy\n") {
      let (label, count) = ($1.key, $1.value)
      let accuracy = Double(count.correct) / Double(count.examples)
      $0 +=
        CSV.row(["\(label)", card.className(label), "\(count.examples)", "\(count.correct)", "\(accuracy)"])
        + "\n"
    }
  }
}
