import OnePassCore
import OnePassData

extension RunConfiguration {
  /// The stream, and what the accuracy is measured on.
  public struct DataOptions: RunOptionGroup {
    /// The stream, as a source specification: `fashion-mnist`, `folder:DIR`, `wds:PATTERN`, …
    @RunOption("data", "The stream to train on, here or in the configuration.", value: "SPEC")
    public var source: String = ""

    /// Labelled images to measure the accuracy on; none, no accuracy.
    @RunOption(
      "eval-data", "Labelled images to measure the accuracy on.", value: "SPEC", key: "evaluationData")
    public var evaluationSource: String? = nil

    /// The number of examples to take from the stream; all of them if `nil`.
    @RunOption("limit", "Take at most this many examples from the stream.", value: "N", in: .atLeast(1))
    public var limit: Int? = nil

    /// The number of examples to evaluate on; all of them if `nil`.
    @RunOption(
      "eval-limit", "Evaluate on at most this many examples.", value: "N", key: "evaluationLimit",
      in: .atLeast(1))
    public var evaluationLimit: Int? = nil

    /// The number of classes; found from the source if `nil`.
    @RunOption(
      "classes",
      "The number of classes, or a text file with a name on each line (default: found in the data).",
      value: "N|FILE", key: "classCount", in: .atLeast(2), isFoundInData: true)
    public var classCount: Int? = nil

    /// The names of the classes, in label order; found from the source if `nil`.
    @RunOption("classes", "The names of the classes.", key: "classNames", isFoundInData: true)
    public var classNames: [String]? = nil

    /// Where an example says whom it is about, so that a subject can be forgotten; nowhere if `nil`.
    @RunOption(
      "subject-key",
      "Where an example says whom it is about, for `memory forget`: folder, stem or json:FIELD.", value: "KEY"
    )
    public var subjectKey: SubjectKey? = nil

    /// How much of the stream waits in a buffer from which its order is drawn; the order of arrival if `nil`.
    @RunOption(
      "shuffle-buffer",
      "Shuffle a stream that arrives sorted, in a buffer of so many examples (10000) or bytes (500MB).",
      value: "N|BYTES",
      deviation: { size in size.map { "shuffle buffer of \($0)" } })
    public var shuffleBuffer: ShuffleBufferSize? = nil

    /// The share of broken images (0 … 1) above which the stream counts as broken and the run stops.
    @RunOption(
      "broken-limit", "Stop if more than this share of the images is broken.", value: "0...1", in: .share)
    public var brokenLimit: Double = 0.1
  }
}

extension ShuffleBufferSize: SelfChecking {}
