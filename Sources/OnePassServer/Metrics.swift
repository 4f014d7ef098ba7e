import Foundation
import Hummingbird
import NIOCore
import OnePass
import OnePassCore
import OnePassService

/// The metrics of a service in Prometheus' text format 0.0.4.
struct Metrics: Sendable {
  let requests: RequestCounts

  func response(for service: Service) -> Response {
    .bytes(
      Array(text(service.report, service.counters).utf8), type: "text/plain; version=0.0.4; charset=utf-8")
  }

  private func text(_ report: ServiceReport, _ counters: ServiceCounters) -> String {
    var text = MetricsText()
    let (examples, accuracy, predictions) = (report.examples, report.accuracy, report.predictions)
    text.counter("examples_accepted", "Examples that were accepted.", examples.accepted)
    text.counter("examples_trained", "Examples that were trained.", examples.trained)
    text.counter(
      "examples_refused", "Examples that were refused.",
      counters.refused.sorted { $0.key < $1.key }.map { ([("reason", $0.key)], Double($0.value)) })
    text.gauge("stream_lag_examples", "Accepted examples that are not trained.", Double(examples.lag))
    text.gauge(
      "online_accuracy_ratio", "Accuracy of all examples, each before it was trained.", accuracy.online)
    text.gauge("window_accuracy_ratio", "The same of the last 1,000 examples.", accuracy.window)
    text.counter("late_labels", "Predictions that got their label.", accuracy.late.labelled)
    text.counter(
      "late_labels_correct", "Predictions that got their label and were right.", accuracy.late.correct)
    text.gauge("loss", "Mean loss of the last incoming mini-batch, in nats.", report.loss.incoming)
    text.gauge("replay_loss", "Mean loss of the last replayed examples, in nats.", report.loss.replayed)
    text.counter("steps", "Training steps.", report.training.steps)
    text.counter("updates", "Updates of the weights.", report.training.updates)
    text.gauge("learning_rate", "Learning rate of the last update.", report.training.learningRate)
    text.counter("predictions", "Images that were predicted.", predictions.count)
    text.counter("predictions_failed", "Predictions that failed.", predictions.failed)
    text.histogram(
      "prediction_duration_seconds", "Time of a prediction, without that of HTTP.", counters.durations)
    text.gauge("weights_age_seconds", "Age of the weights that predict.", predictions.weightsAgeSeconds)
    text.gauge("waiting_images", "Images that wait for a label.", Double(report.waiting.images))
    text.gauge("waiting_bytes", "Size of the images that wait for a label.", Double(report.waiting.bytes))
    text.gauge("memory_items", "Items in the replay memory.", Double(report.memory.items))
    text.gauge(
      "memory_capacity_items", "Capacity of the replay memory.", report.memory.capacity.map(Double.init))
    let storage = report.storage
    text.gauge(
      "storage_bytes", "Stored bytes by part.",
      [
        ("checkpoints", storage.checkpoints), ("inbox", storage.inbox), ("ledger", storage.ledger),
        ("memory", storage.memory), ("waiting", storage.waiting),
      ]
      .map { ([("part", $0.0)], Double($0.1)) })
    text.counter("checkpoints", "Checkpoints that were saved.", counters.checkpoints)
    text.gauge(
      "checkpoint_duration_seconds", "Time of the last checkpoint.", counters.lastCheckpoint?.seconds)
    text.gauge(
      "checkpoint_age_seconds", "Age of the last checkpoint.",
      counters.lastCheckpoint.map { -$0.time.timeIntervalSinceNow })
    text.gauge(
      "learning_paused", "1 while nothing is learned because of a failure.", report.state == .paused ? 1 : 0)
    text.counter(
      "http_requests", "Answers by route, method and status.",
      requests.all.map { key, count in
        ([("route", key.route), ("method", key.method), ("code", "\(key.status)")], Double(count))
      })
    text.gauge(
      "start_time_seconds", "Start of the process, in Unix time.", counters.start.timeIntervalSince1970)
    text.gauge(
      "build_info", "The version of the service.",
      [
        ([("version", report.version), ("commit", SourceRevision.current?.commit ?? "unknown")], 1)
      ])
    return text.text
  }
}

/// Text in Prometheus' format.
private struct MetricsText {
  typealias Series = [(labels: [(name: String, value: String)], value: Double)]

  private(set) var text = ""

  mutating func counter(_ name: String, _ help: String, _ value: Int) {
    counter(name, help, [([], Double(value))])
  }

  mutating func counter(_ name: String, _ help: String, _ series: Series) {
    add("\(name)_total", "counter", help, series)
  }

  /// A value that is not known yet is left out.
  mutating func gauge(_ name: String, _ help: String, _ value: Double?) {
    gauge(name, help, value.map { [([], $0)] } ?? [])
  }

  mutating func gauge(_ name: String, _ help: String, _ series: Series) { add(name, "gauge", help, series) }

  mutating func histogram(_ name: String, _ help: String, _ durations: Durations) {
    head(name, "histogram", help)
    for (bound, count) in zip(Durations.bounds, durations.counts) {
      line("\(name)_bucket", [("le", "\(bound)")], Double(count))
    }
    line("\(name)_bucket", [("le", "+Inf")], Double(durations.count))
    line("\(name)_sum", [], durations.sum)
    line("\(name)_count", [], Double(durations.count))
  }

  private mutating func add(_ name: String, _ type: String, _ help: String, _ series: Series) {
    guard !series.isEmpty else { return }
    head(name, type, help)
    for (labels, value) in series { line(name, labels, value) }
  }

  private mutating func head(_ name: String, _ type: String, _ help: String) {
    text += "# HELP onepass_\(name) \(help)\n# TYPE onepass_\(name) \(type)\n"
  }

  private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: Double) {
    let labelText = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
    let number = Int(exactly: value).map { "\($0)" } ?? "\(value)"
    text += "onepass_\(name)\(labels.isEmpty ? "" : "{\(labelText)}") \(number)\n"
  }

  private static func escaped(_ value: String) -> String {
    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
  }
}
