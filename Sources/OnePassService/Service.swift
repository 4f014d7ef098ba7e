import Foundation
import OnePass
import OnePassBrokers
import OnePassCore
import OnePassData
import Synchronization

/// A process that trains on a stream without an end and predicts meanwhile.
///
/// Its folder has the run (`run`), the accepted examples (`inbox`) and the images that wait for a label (`waiting`).
package final class Service: Sendable {
  package let options: ServiceOptions
  package let inbox: Inbox
  package let waiting: WaitingImages
  package let predictions: PredictionQueue
  let configuration: RunConfiguration
  let status = ServiceStatus()
  let training: TrainingLoopThread
  let labels: ServiceClasses
  /// Whether examples come by requests, and not from a broker.
  package let takesExamples: Bool
  private let starts: Int
  private let lock: FolderLock
  private let disk = DiskUse()
  private let lastSample = Mutex(ContinuousClock.now)

  /// Opens the folder of a service.
  /// - Parameters:
  ///   - configuration: The options of the run. Its data is a broker's stream, or that of ``inboxData(in:)``.
  ///   - options: The options of the service.
  /// - Throws: `OnePassError`: `usage` for options that contradict each other, `io` if the folder cannot be used or another
  ///   service uses it, `badData` if a file is damaged.
  package init(_ configuration: RunConfiguration, _ options: ServiceOptions) throws {
    self.options = options
    lock = try FolderLock(options.folder)
    inbox = try Inbox("\(options.folder)/inbox", limits: options.inbox)
    labels = try ServiceClasses(configuration.data, accepted: inbox.firstLabels)
    waiting = try WaitingImages("\(options.folder)/waiting", limits: options.waiting)
    starts = try StartCount.next(in: options.folder)
    predictions = PredictionQueue()
    takesExamples = configuration.data.source == Self.inboxData(in: options.folder)
    guard configuration.data.shuffleBuffer == nil else {
      throw OnePassError(
        .usage,
        "--shuffle-buffer is not possible for a service, whose positions are those of arrival; remove it.")
    }
    var configuration = configuration
    if takesExamples { configuration.data.subjectKey = .field(Inbox.subjectHeader) }
    self.configuration = configuration
    training = TrainingLoopThread(
      configuration, folder: "\(options.folder)/run", inbox: takesExamples ? inbox : nil, status: status,
      predictions: predictions, options)
    try training.check()
  }

  /// The data of a run that is trained on the examples of requests.
  package static func inboxData(in folder: String) -> String { "\(BrokerAddress(inbox: "\(folder)/inbox"))" }

  /// Starts to train.
  package func start() {
    status.note(
      starts == 1 ? .started : .resumed,
      starts == 1 ? "Started." : "Started again (start \(starts) on this folder).")
    training.start()
  }

  /// Saves the run and ends. Requests that come later are refused.
  /// - Parameter seconds: The longest wait for the checkpoint.
  /// - Returns: Whether the run was saved in time.
  package func drain(seconds: Double) async -> Bool {
    status.set(.draining, "The service is being stopped.")
    let isSaved = await training.stop(within: seconds)
    predictions.close()
    inbox.close()
    waiting.close()
    // Not while the run may still write.
    if isSaved { lock.unlock() }
    return isSaved
  }

  /// Whether predictions can be made.
  package var isReady: Bool {
    guard let card = status.card, card.classes > 0 else { return false }
    return [.ready, .paused, .finished].contains(status.current.state)
  }

  /// The state, and why it is that.
  package var state: (state: ServiceReport.State, reason: String?) { status.current }

  // MARK: Learning

  /// Accepts an example, once it is on disk.
  /// - Throws: ``ServiceProblem``, ``InboxProblem``, `OnePassError` (`io`, `diskFull`).
  package func learn(_ example: Inbox.NewExample) async throws -> Inbox.Accepted {
    do { try checkLearning() } catch {
      // What was accepted stays accepted, whatever the state is now.
      guard takesExamples, let key = example.key, let position = try inbox.position(ofKey: key, example)
      else {
        throw error
      }
      return Inbox.Accepted(position: position, isRepeated: true)
    }
    try labels.note(example.label, status.card)
    let accepted = try await inbox.add(example)
    if !accepted.isRepeated {
      status.noteAccepted()
      if isSampled() { Task { await examine(example, position: accepted.position) } }
    }
    return accepted
  }

  /// - Throws: ``ServiceProblem``.
  package func checkLearning() throws {
    guard takesExamples else { throw ServiceProblem.readsBroker }
    switch status.current.state {
    case .draining: throw ServiceProblem.draining
    case .finished: throw ServiceProblem.finished
    case .starting, .ready, .paused:
      guard !training.awaitsCoolDown else {
        throw ServiceProblem.notReady("The cool-down is about to begin.")
      }
    }
  }

  package func noteRefused(_ reason: String) { status.noteRefused(reason) }

  /// One example a second is predicted before it is trained, to show mistakes.
  private func isSampled() -> Bool {
    guard isReady else { return false }
    return lastSample.withLock { last in
      guard .now - last >= .seconds(1) else { return false }
      last = .now
      return true
    }
  }

  private func examine(_ example: Inbox.NewExample, position: Int) async {
    guard let best = try? await predictions.predict(EncodedImage(bytes: example.image)).classes.first,
      labels.text(of: best) != example.label
    else { return }
    note(mistake: example, position, predicted: labels.text(of: best), best.probability)
  }

  private func note(
    mistake example: Inbox.NewExample, _ position: Int, predicted: String, _ probability: Double
  ) {
    status.note(
      .init(
        id: "\(position)", label: labels.name(of: example.label), predicted: labels.name(of: predicted),
        probability: probability, position: position, time: Date()), image: example.image)
  }

  /// The names of the classes in label order, with open classes of those that were trained.
  package var classes: [String] { labels.names(status.card) }

  /// The text of the class that a label names, as ``Inbox/NewExample`` has it.
  /// - Throws: ``LabelProblem``.
  package func text(ofLabel label: String) throws -> String { try labels.text(of: label) }

  /// The name of a class by its text.
  package func name(ofClass text: String) -> String { labels.name(of: text) }

  /// The name of a predicted class.
  package func name(of predicted: Prediction.Class) -> String { labels.name(of: labels.text(of: predicted)) }

  // MARK: Predicting

  /// Predicts the classes of an image.
  /// - Throws: ``ServiceProblem/notReady(_:)``, ``PredictionProblem``, `OnePassError`.
  package func predict(_ image: EncodedImage) async throws -> PredictionQueue.Answer {
    guard isReady else { throw ServiceProblem.notReady(status.current.reason ?? "The service is starting.") }
    let start = ContinuousClock.now
    do {
      let answer = try await predictions.predict(image)
      status.notePrediction(seconds: (ContinuousClock.now - start) / .seconds(1))
      return answer
    } catch {
      if (error as? OnePassError)?.code != .badData { status.noteFailedPrediction() }
      throw error
    }
  }

  /// Predicts the classes of an image, and keeps it until its label comes.
  /// - Throws: As ``predict(_:)`` and ``learn(_:)``; ``WaitingProblem``.
  package func predict(
    _ image: EncodedImage, keepingFor subject: String?
  ) async throws -> (answer: PredictionQueue.Answer, kept: WaitingImages.Prediction) {
    try checkLearning()
    let answer = try await predict(image)
    let best = answer.classes[0]
    var generator = SystemRandomNumberGenerator()
    let id = (0..<2).map { _ in
      let digits = String(generator.next() as UInt64, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
    let kept = WaitingImages.Prediction(
      id: id, predicted: labels.text(of: best), probability: best.probability, subject: subject,
      expires: waiting.expiry)
    try await waiting.keep(image.bytes, of: kept)
    return (answer, kept)
  }

  /// The answer to a late label.
  package struct Labelled: Sendable {
    package let accepted: Inbox.Accepted
    /// The class that was predicted, as text; `nil` if the label was given before.
    package let predicted: String?
  }

  /// Makes an image that waits an example.
  /// - Returns: `nil` if no image with this id waits.
  /// - Throws: As ``learn(_:)``; ``InboxProblem/keyReused`` if another label was given before.
  package func label(_ id: String, _ label: String) async throws -> Labelled? {
    try checkLearning()
    let key = "prediction/\(id)"
    guard let (prediction, image) = try waiting.prediction(id) else {
      // The image is gone, and the subject unknown: only the label identifies the request.
      let known = Inbox.NewExample(image: [], label: label, key: key, predicted: "")
      return try inbox.position(ofKey: key, known).map {
        Labelled(accepted: .init(position: $0, isRepeated: true), predicted: nil)
      }
    }
    let example = Inbox.NewExample(
      image: image, label: label, subject: prediction.subject, key: key, predicted: prediction.predicted)
    try labels.note(label, status.card)
    let accepted = try await inbox.add(example)
    try await waiting.remove(id)
    if !accepted.isRepeated {
      status.noteAccepted()
      if prediction.predicted != label {
        note(mistake: example, accepted.position, predicted: prediction.predicted, prediction.probability)
      }
    }
    return Labelled(accepted: accepted, predicted: prediction.predicted)
  }

  // MARK: Managing

  /// Saves a checkpoint.
  /// - Throws: ``ServiceProblem`` if nothing is trained, or the checkpoint fails.
  package func checkpoint() async throws -> SavedCheckpoint { try await training.checkpoint() }

  /// Lets the run cool down and finish.
  /// - Throws: ``ServiceProblem`` if the schedule does not cool down, or nothing is trained now.
  package func coolDown() throws { try training.coolDown() }

  /// What was removed of a subject.
  package struct Forgotten: Codable, Sendable {
    /// The items of the replay memory, over all saved states.
    package let items: Int
    /// The accepted examples whose images were overwritten.
    package let examples: Int
    /// The images that waited for a label.
    package let waiting: Int
    /// The saved states that contained at least one of the items.
    package let checkpoints: [String]
  }

  /// Removes all images of a subject. The weights are not unlearned.
  ///
  /// The run is saved, stopped and resumed for that; predictions continue.
  /// - Throws: ``ServiceProblem``, `OnePassError`. Repeat the request after a failure.
  package func forget(_ subject: String) async throws -> Forgotten {
    try checkLearning()
    let folder = "\(options.folder)/run"
    let forgotten = try await training.pausing { [inbox, waiting] in
      let overwritten = try inbox.forget([subject])
      let images = try waiting.forget([subject])
      let (files, checkpoints) = (FileManager.default, "\(folder)/unfinished")
      // There is none before the first mini-batch.
      let saved =
        files.fileExists(atPath: checkpoints) ? try files.contentsOfDirectory(atPath: checkpoints) : []
      guard saved.contains(where: { $0.hasPrefix("step-") }) else {
        return Forgotten(items: 0, examples: overwritten, waiting: images, checkpoints: [])
      }
      let forgetting = try Forgetting(ForgetRequest(subjects: [subject]), in: folder)
      return Forgotten(
        items: forgetting.positions.count, examples: overwritten, waiting: images,
        checkpoints: forgetting.checkpoints)
    }
    status.removeMistakes()
    status.note(
      .forgotten,
      "Removed a subject: \(forgotten.items) items of the memory, \(forgotten.examples) examples, \(forgotten.waiting) waiting images."
    )
    return forgotten
  }

  /// Writes the weights that predict to a safetensors file.
  package func writeModel(to path: String) async throws {
    guard isReady else { throw ServiceProblem.notReady(status.current.reason ?? "The service is starting.") }
    try await predictions.write(to: path)
  }

  // MARK: Reporting

  package var report: ServiceReport {
    var report = status.report(name: options.name, starts: starts, classes: classes)
    if takesExamples {
      report.examples.accepted = inbox.accepted
      report.examples.lag = inbox.waiting
    } else {
      report.examples.accepted = report.examples.trained
    }
    report.accuracy.late = inbox.late
    if let weights = predictions.weights {
      report.predictions.weightsStep = weights.step
      report.predictions.weightsAgeSeconds = (ContinuousClock.now - weights.time) / .seconds(1)
    }
    let amount = waiting.amount
    report.waiting = .init(
      images: amount.images, bytes: amount.bytes, limitBytes: options.waiting.bytes, expired: amount.expired)
    let used = disk.use(of: options.folder)
    report.storage = .init(
      memory: report.memory.bytes, inbox: inbox.byteCount, waiting: waiting.byteCount, ledger: used.ledger,
      checkpoints: used.checkpoints)
    return report
  }

  package var history: ServiceHistory { status.history }
  package var counters: ServiceCounters { status.counters }

  /// The picture of a recent mistake.
  package func picture(of mistake: String) -> [UInt8]? { status.picture(of: mistake) }

  /// Does what is due each second.
  package func tick() {
    waiting.expire()
    training.tick()
    predictions.refresh()
    status.updateHistory(lag: takesExamples ? inbox.waiting : 0)
  }
}

/// Why a service does not do what was requested.
package enum ServiceProblem: Error, Sendable {
  case notReady(String)
  /// Examples come from a broker.
  case readsBroker
  case draining
  /// The run is finished, and only predicts.
  case finished
  case checkpointFailed(String)
  /// The schedule of the run does not cool down on request.
  case noCoolDown
}
