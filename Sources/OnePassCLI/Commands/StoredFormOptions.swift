import ArgumentParser
import OnePass

extension IncomingForm: ExpressibleByArgument {}

struct StoredFormOptions: ParsableArguments {
  @Option(
    name: .customLong("memory-size"),
    help: ArgumentHelp(
      "With --memory-encoding resized, the side of the memory's images (default: the size from which crops are taken).",
      valueName: "PIXELS"))
  var memorySize: Int?

  @Option(
    name: .customLong("memory-quality"),
    help: ArgumentHelp(
      "With --memory-encoding resized, the JPEG quality of the memory's images (default: 90).",
      valueName: "1...100"))
  var memoryQuality: Int?

  @Option(
    name: .customLong("incoming-form"),
    help:
      "Train incoming images as they arrived, or in the size and quality of the memory's (stored), so that both look alike."
  )
  var incomingForm = IncomingForm.arrived

  func apply(to configuration: inout RunConfiguration) {
    configuration.memorySize = memorySize
    configuration.memoryQuality = memoryQuality
    configuration.incomingForm = incomingForm
  }
}
