import Foundation
import OnePass
import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePassExperiments

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("The page about a run") struct RunPageTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Noise, with hostile class names.
  static func source(_ count: Int) -> IndexedSource {
    IndexedSource("camera", count: count, classNames: ["<b>&'\"", "\u{7}bell", "plain"]) { position in
      LabelledImage(
        EncodedImage(
          bytes: noise(position, count: 256), encoding: .pixels(width: 16, height: 16, channels: 1)),
        label: position % 3)
    }
  }

  /// Trains a small network.
  func train(
    _ name: String, stop: Int? = nil, _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = RunConfiguration(data: "camera")
    (configuration.model.name, configuration.recipe.batchSize) = ("resnet8", 8)
    (configuration.replay.steps, configuration.memory.storage) = (1, .examples(20))
    (configuration.machine.threads, configuration.machine.decodeThreads) = (1, 1)
    change(&configuration)
    let request = StopRequest()
    do {
      _ = try TrainingRun(configuration, source: Self.source(96), evaluationSource: Self.source(30)).start(
        output: folder.file(name), stop: request
      ) { if case .step(let report) = $0, report.step == stop { request.stop() } }
    } catch is RunStopped {}
  }

  func page(_ name: String, pictures: Int = 4) throws -> RunPage {
    try RunPage(RunView(of: folder.file(name)), pictures: pictures)
  }

  /// The titles of the sections of a page, which must be well-formed XML.
  func sections(_ page: RunPage, at location: SourceLocation = #_sourceLocation) -> [String] {
    final class Titles: NSObject, XMLParserDelegate {
      var titles: [String] = []
      private var isTitle = false
      func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String] = [:]
      ) {
        isTitle = name == "h2"
        if isTitle { titles.append("") }
      }
      func parser(_ parser: XMLParser, foundCharacters string: String) {
        if isTitle { titles[titles.count - 1] += string }
      }
      func parser(
        _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
      ) { isTitle = false }
    }
    let parser = XMLParser(data: Data(page.html.utf8))
    let titles = Titles()
    parser.delegate = titles
    #expect(parser.parse(), "\(String(describing: parser.parserError))", sourceLocation: location)
    return titles.titles
  }

  @Test("A finished run has all sections, and its confusions are those of an evaluation of its model")
  func aFinishedRunHasAllSections() throws {
    try train("run") {
      $0.memory.keepPictures = 4
      $0.data.evaluationInterval = 3
    }
    let page = try page("run")
    #expect(
      sections(page) == [
        "Course", "Memory by class", "Memory by age", "Hardest and easiest examples", "Evaluation",
        "Configuration",
      ])
    #expect(page.pictureCount == 8 && page.html.contains("data:image/"))
    #expect(page.html.contains("&lt;b&gt;&amp;") && !page.html.contains("<b>&"))
    #expect(page.html.contains("Accuracy along the stream") && page.html.contains("replay-steps"))
    let view = try RunView(of: folder.file("run"))
    let recorded = try #require(view.evaluation)
    let model = try TrainedModel(checkpoint: folder.file("run"), device: "cpu")
    let again = try model.evaluation(on: Self.source(30))
    #expect(recorded.confusion.entries == again.confusion.entries && recorded.accuracy.examples == 30)
    #expect(recorded.classes.map(\.correct) == again.classes.map(\.correct))
    #expect(recorded.accuracy.top1 == again.accuracy.top1)
  }

  @Test("Without kept images there are none, and without a memory no section on it")
  func whatIsMissingIsLeftOut() throws {
    try train("replay")
    let plain = try page("replay")
    #expect(plain.pictureCount == 0 && !plain.html.contains("data:image/"))
    #expect(plain.html.contains("--keep-pictures"))
    try train("naive") {
      $0.method = .naive
      ($0.replay, $0.memory) = (RunConfiguration.defaults.replay, RunConfiguration.defaults.memory)
    }
    #expect(sections(try page("naive")) == ["Course", "Evaluation", "Configuration"])
  }

  @Test("An unfinished run is shown as of its last checkpoint")
  func anUnfinishedRunIsShown() throws {
    try train("run", stop: 5)
    let page = try page("run")
    #expect(page.html.contains("as of the last checkpoint, after step 6 of 12"))
    #expect(sections(page).contains("Memory by age"))
  }

  @Test("A page replaces its own earlier one only, and forgetting removes it")
  func aPageReplacesItsOwn() throws {
    try train("run") { $0.memory.keepPictures = 4 }
    let path = folder.file("run/\(RunFiles.pageName)")
    try page("run").write(to: path)
    try page("run").write(to: path)
    try folder.write(Array("<title>Another</title>".utf8), to: "other.html")
    #expect(throws: OnePassError.self) { try page("run").write(to: folder.file("other.html")) }
    let item = try #require(StoredMemory(of: folder.file("run")).items.first)
    _ = try Forgetting(ForgetRequest(positions: [item.id]), in: folder.file("run"))
    #expect(!folder.exists("run/\(RunFiles.pageName)"))
  }

  @Test("A damaged evaluation is an error")
  func aDamagedEvaluationIsAnError() throws {
    try train("run")
    for text in ["{", "{\"source\":\"x\",\"classes\":[],\"confusion\":[]}"] {
      try folder.write(Array(text.utf8), to: "run/evaluation.json")
      #expect(throws: OnePassError.self, "\(text)") { try RunView(of: folder.file("run")) }
    }
  }
}
