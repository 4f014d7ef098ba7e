import OnePassCore
import OnePassData

extension RunConfiguration {
  /// In which form the memory keeps an image.
  var storedFormat: StoredFormat { StoredFormat(memoryEncoding, size: memorySize, quality: memoryQuality) }

  /// The form in words, where it is not that of the paper: `JPEGs of 24 x 24 and quality 50 kept`.
  var storedFormTitle: String? {
    let size = memorySize.map { "of \($0) x \($0)" }
    let quality = memoryQuality.map { "\(size == nil ? "of" : "and") quality \($0)" }
    switch memoryEncoding {
    case .original: return nil
    case .pixels: return "pixels kept"
    case .resized where size == nil && quality == nil: return "resized JPEGs kept"
    case .resized: return (["JPEGs"] + [size, quality].compactMap(\.self) + ["kept"]).joined(separator: " ")
    }
  }

  /// - Throws: `OnePassError` (`usage`) if a value for what is seen or kept of an image cannot mean anything.
  func validateImageValues() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw OnePassError(.usage, sentence()) }
    }
    let (magnitude, growth) = (augmentationMagnitude, augmentationGrowth)
    try require(
      (0...1).contains(magnitude ?? 0),
      "--augmentation-magnitude \(magnitude ?? 0) is not possible: give a share from 0 to 1.")
    try require(
      growth >= 0 && growth.isFinite,
      "--augmentation-growth \(growth) is not possible: give a number of visits, 0 or more.")
    try require(
      (8...4_096).contains(memorySize ?? 8),
      "--memory-size \(memorySize ?? 0) is not possible: give 8 to 4096 pixels.")
    try require(
      (1...100).contains(memoryQuality ?? 1),
      "--memory-quality \(memoryQuality ?? 0) is not possible: give 1 to 100.")
  }

  /// - Throws: `OnePassError` (`usage`) if the options of the memory's form mean nothing together.
  func validateStoredForm() throws {
    func require(_ condition: Bool, _ sentence: @autoclosure () -> String) throws {
      if !condition { throw OnePassError(.usage, sentence()) }
    }
    let isResized = memoryEncoding == .resized
    try require(
      memorySize == nil || isResized,
      "--memory-size is for images that are resized for the memory: say --memory-encoding resized, or leave it out."
    )
    try require(
      memoryQuality == nil || isResized,
      "--memory-quality is for images that are encoded for the memory: say --memory-encoding resized, or leave it out."
    )
    try require(
      incomingForm == .arrived || isResized,
      "--incoming-form stored is for a memory whose images lose something: say --memory-encoding resized, or leave it out."
    )
  }

  /// - Throws: `OnePassError` (`usage`) if the memory's images would be larger than what crops are taken from.
  func checkMemorySize(_ pipeline: ImagePipeline) throws {
    guard let memorySize, memorySize > pipeline.plane else { return }
    throw OnePassError(
      .usage,
      "--memory-size \(memorySize) is larger than the \(pipeline.plane) x \(pipeline.plane) pixels from which crops are taken: "
        + "give at most \(pipeline.plane), or leave it out.")
  }
}
