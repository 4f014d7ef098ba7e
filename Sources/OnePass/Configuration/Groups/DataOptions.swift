import OnePassCore
import OnePassData

extension RunConfiguration {
  /// The training stream and the evaluation data.
  ///
  /// ```swift
  /// var configuration = RunConfiguration(data: "folder:photos/train")
  /// configuration.data.evaluationSource = "folder:photos/val"
  /// configuration.data.limit = 50_000
  /// ```
  public struct DataOptions: RunOptionGroup {
    /// The stream, as a source specification: `fashion-mnist`, `folder:DIR`, `wds:PATTERN`, …
    @RunOption(
      "data", "Training data, as a source specification; required here or in the configuration file.",
      value: "SPEC")
    public var source: String = ""

    /// Labelled images for evaluation; no accuracy is measured if `nil`.
    @RunOption(
      "eval-data", "Evaluation data, as a source specification.", value: "SPEC", key: "evaluationData")
    public var evaluationSource: String? = nil

    /// The maximum number of examples to take from the stream; all if `nil`.
    @RunOption(
      "limit", "Maximum number of examples to take from the stream.", value: "N", in: .atLeast(1))
    public var limit: Int? = nil

    /// The maximum number of examples to evaluate on; all if `nil`.
    @RunOption(
      "eval-limit", "Maximum number of examples to evaluate on.", value: "N", key: "evaluationLimit",
      in: .atLeast(1), applies: .evaluation)
    public var evaluationLimit: Int? = nil

    /// The number of steps between evaluations while the model trains, 1 or more; it is evaluated at the end only if `nil`.
    ///
    /// The training does not depend on it.
    @RunOption(
      "eval-every", "Evaluate the model after every N steps while it trains (default: at the end only).",
      value: "N", key: "evaluationInterval", in: .atLeast(1), applies: .evaluation, changesResults: false)
    public var evaluationInterval: Int? = nil

    /// The detector of changes in the rate of errors along the stream; none if `nil`.
    ///
    /// The training does not depend on it.
    @RunOption(
      "drift",
      "Report when the rate of errors of incoming examples rises, overall or of a class: adwin[:DELTA], "
        + "page-hinkley[:LAMBDA] or kswin[:ALPHA]; with :both, also when it falls (default: no detector).",
      value: "DETECTOR", key: "driftDetector", changesResults: false)
    public var drift: DriftMethod? = nil

    /// The number of classes, at least 2; found in the data if `nil`.
    @RunOption(
      "classes",
      "Number of classes, or a text file with one class name per line (default: found in the data before the training); "
        + "open or open:LIMIT: each class gets an output when its first image arrives.",
      value: "N|FILE|open", key: "classCount", in: .atLeast(2), isFoundInData: true)
    public var classCount: Int? = nil

    /// The class names in label order; found in the data if `nil`.
    @RunOption("classes", "Class names.", key: "classNames", isFoundInData: true)
    public var classNames: [String]? = nil

    /// Classes that are found in the stream while the model trains; all are known ahead if `nil`.
    @RunOption("classes", "Open classes.", key: "openClasses")
    public var openClasses: OpenClasses? = nil

    /// Where the subject of an example is recorded, so that it can be forgotten; subjects are not recorded if `nil`.
    @RunOption(
      "subject-key",
      "Where the subject of an example is recorded, for `memory forget`: folder, stem or json:FIELD.",
      value: "KEY", applies: .ledger)
    public var subjectKey: SubjectKey? = nil

    /// Where the samples of WebDataset shards have their label; the `.cls` entry if `nil`.
    @RunOption(
      "label-key",
      "Where samples have their label: cls (the .cls entry), folder or json:FIELD (default: cls); messages: header:NAME, "
        + "key or json:FIELD.",
      value: "KEY")
    public var labelKey: LabelKey? = nil

    /// The column of images in Parquet files; it is chosen by types and names if `nil`.
    @RunOption(
      "image-column", "Column of images in Parquet files (default: chosen by type and name, such as image).",
      value: "NAME")
    public var imageColumn: String? = nil

    /// The column of labels in Parquet files; it is chosen by types and names if `nil`.
    @RunOption(
      "label-column", "Column of labels in Parquet files (default: chosen by type and name, such as label).",
      value: "NAME")
    public var labelColumn: String? = nil

    /// Whether a run fails if an entry of the stream or of the evaluation data is ignored or ambiguous.
    @RunOption(
      "strict", "Fail if an entry of the data is ignored or ambiguous.",
      before: false, changesResults: false)
    public var strict: Bool = false

    /// Whether images that are stored rotated are turned upright; ``OrientationChoice/auto`` if `nil`.
    @RunOption(
      "orientation",
      "Orientation in Exif or XMP: apply it, ignore it, or auto (apply for hf: only; the default).",
      value: "auto|ignore|apply", isFoundInData: true)
    public var orientation: OrientationChoice? = nil

    /// The order, selection and labels of the stream; as the source delivers it if `nil`.
    @RunOption(
      "stream",
      "Shape of the stream, for data with random access: shuffled, by-class:G, blurred:G:SIGMA, long-tailed:R, bursts:M, "
        + "recurring:P or label-noise:S (default: as the data delivers it).",
      value: "SHAPE", key: "streamShape", applies: .shape,
      deviation: { shape in shape.map { "stream \($0)" } })
    public var shape: StreamShape? = nil

    /// The size of the shuffle buffer; examples keep their order of arrival if `nil`.
    @RunOption(
      "shuffle-buffer",
      "Size of a shuffle buffer for streams in sorted order, in examples (10000) or bytes (500MB).",
      value: "N|BYTES", applies: .arrivalOrder,
      deviation: { size in size.map { "shuffle buffer of \($0)" } })
    public var shuffleBuffer: ShuffleBufferSize? = nil

    /// The maximum share of broken images, 0 … 1. A run with more of them stops.
    @RunOption(
      "broken-limit", "Maximum share of broken images; the run stops above it.", value: "0...1",
      in: .share)
    public var brokenLimit: Double = 0.1
  }
}

extension ShuffleBufferSize: SelfChecking {}
extension StreamShape: SelfChecking {}
