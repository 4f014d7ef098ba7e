import Foundation
import OnePass
import OnePassCore
import TestSupport
import Testing

@testable import OnePassService

@Suite("Service", .serialized)
struct ServiceTests {
  private static let images = StripedImages(count: 200)

  private func image(_ index: Int) -> [UInt8] {
    Array("P5\n12 12\n255\n".utf8) + Self.images.pixels(index)
  }

  private func example(_ index: Int, key: String? = nil, subject: String? = nil) -> Inbox.NewExample {
    .init(image: image(index), label: "\(Self.images.label(index))", subject: subject, key: key)
  }

  private func open(
    _ folder: TemporaryFolder, schedule: LearningRateSchedule.Shape = .constant, classes: OpenClasses? = nil
  ) throws -> Service {
    var configuration = RunConfiguration(data: Service.inboxData(in: folder.path))
    configuration.model.name = "resnet8"
    (configuration.data.classCount, configuration.data.openClasses) = (classes == nil ? 4 : nil, classes)
    configuration.data.brokenLimit = 1
    configuration.recipe.batchSize = 8
    configuration.recipe.schedule = schedule
    configuration.replay.steps = 1
    configuration.memory.storage = .examples(30)
    configuration.machine.threads = 1
    var options = ServiceOptions()
    (options.folder, options.isInsecure, options.weightsSeconds) = (folder.path, true, 0.01)
    let service = try Service(configuration, options)
    service.start()
    return service
  }

  /// Waits until a condition is true; no test waits that long.
  private func wait(for condition: () -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while !condition(), .now < end { try await Task.sleep(for: .milliseconds(10)) }
    #expect(condition())
  }

  private func train(_ service: Service, _ range: Range<Int>) async throws {
    for index in range { _ = try await service.learn(example(index)) }
    try await wait { service.report.examples.trained >= range.upperBound / 8 * 8 }
  }

  private func savedWeights(_ folder: TemporaryFolder) throws -> [UInt8] {
    let run = folder.file("run/unfinished")
    let names = try FileManager.default.contentsOfDirectory(atPath: run)
    let last = try #require(names.filter { $0.hasPrefix("step-") }.max())
    return try folder.bytes(of: "run/unfinished/\(last)/model.safetensors")
  }

  @Test("A service that was stopped has the weights of one that was not")
  func interruption() async throws {
    let (whole, halves) = (try TemporaryFolder(), try TemporaryFolder())
    let uninterrupted = try open(whole)
    try await train(uninterrupted, 0..<80)
    #expect(await uninterrupted.drain(seconds: 30))
    let first = try open(halves)
    // In the middle of a mini-batch.
    try await train(first, 0..<43)
    #expect(await first.drain(seconds: 30))
    let second = try open(halves)
    try await train(second, 43..<80)
    #expect(second.report.starts == 2)
    #expect(await second.drain(seconds: 30))
    #expect(try savedWeights(whole) == savedWeights(halves))
    #expect(try whole.bytes(of: "run/unfinished/ledger") == halves.bytes(of: "run/unfinished/ledger"))
  }

  @Test("Predictions follow the training, and a late label makes an example")
  func predictions() async throws {
    let folder = try TemporaryFolder()
    let service = try open(folder)
    await #expect(throws: ServiceProblem.self) { try await service.predict(EncodedImage(bytes: image(0))) }
    try await train(service, 0..<160)
    _ = try await service.checkpoint()
    try await wait {
      service.tick()
      return service.predictions.weights?.step == 20
    }
    // The same images with the weights of the checkpoint. The mini-batch has another size.
    let saved = try TrainedModel(checkpoint: folder.file("run"), threads: 1)
    let images = (160..<170).map { EncodedImage(bytes: image($0)) }
    for (image, expected) in zip(images, try saved.predict(images, top: 4)) {
      let answer = try await service.predict(image)
      #expect(answer.step == 20)
      #expect(answer.classes.map(\.label) == expected.map(\.label))
      for (a, b) in zip(answer.classes, expected) { #expect(abs(a.probability - b.probability) < 1e-5) }
    }
    let (answer, kept) = try await service.predict(EncodedImage(bytes: image(161)), keepingFor: "s")
    #expect(service.report.waiting.images == 1)
    let best = answer.classes[0].label
    let label = "\((best + 1) % 4)"
    let labelled = try #require(try await service.label(kept.id, label))
    #expect(labelled.accepted == .init(position: 160, isRepeated: false))
    #expect(labelled.predicted == "\(best)")
    #expect(try await service.label(kept.id, label)?.accepted == .init(position: 160, isRepeated: true))
    await #expect(throws: InboxProblem.keyReused) { try await service.label(kept.id, "\((best + 2) % 4)") }
    #expect(try await service.label("unknown", "1") == nil)
    #expect(service.report.accuracy.late == .init(labelled: 1, correct: 0))
    #expect(service.report.waiting.images == 0)
    await #expect(throws: OnePassError.self) { try await service.predict(EncodedImage(bytes: [1, 2, 3])) }
    #expect(await service.drain(seconds: 30))
  }

  @Test("A forgotten subject is in no file, and the positions of the others stay")
  func forgetting() async throws {
    let folder = try TemporaryFolder()
    let service = try open(folder)
    let marked =
      Array("P5\n12 12\n255\n".utf8) + Array(String(repeating: "forget me ", count: 15).utf8.prefix(144))
    for index in 0..<24 {
      var example = example(index)
      if index % 6 == 0 { (example.image, example.subject) = (marked, "person") }
      _ = try await service.learn(example)
    }
    try await wait { service.report.examples.trained == 24 }
    _ = try await service.checkpoint()
    #expect(try folder.occurrences(of: "forget me") > 0)
    let forgotten = try await service.forget("person")
    #expect(forgotten.examples == 4 && forgotten.items > 0)
    #expect(try folder.occurrences(of: "forget me") == 0)
    #expect(try await service.learn(example(30)).position == 24)
    try await wait { service.state.state == .ready }
    #expect(await service.drain(seconds: 30))
    #expect(folder.exists("run/forgotten.jsonl"))
  }

  @Test("A cool-down trains every accepted example, and then refuses others")
  func coolDown() async throws {
    let folder = try TemporaryFolder()
    let service = try open(folder, schedule: .onDemand)
    try await train(service, 0..<80)
    try service.coolDown()
    var accepted = 80
    let end = ContinuousClock.now + .seconds(60)
    while service.state.state != .finished, .now < end {
      service.tick()
      do {
        _ = try await service.learn(example(accepted % 200))
        accepted += 1
      } catch { try await Task.sleep(for: .milliseconds(5)) }
    }
    #expect(service.state.state == .finished)
    #expect(accepted > 80)
    #expect(service.report.examples.accepted == accepted)
    #expect(service.report.examples.trained == accepted)
    await #expect(throws: ServiceProblem.self) { try await service.learn(example(1)) }
    #expect(try await service.predict(EncodedImage(bytes: image(3))).classes.count == 4)
    #expect(await service.drain(seconds: 30))
  }

  @Test("A cool-down that is not possible is refused, and examples are accepted as before")
  func noCoolDown() async throws {
    let folders = try [TemporaryFolder(), TemporaryFolder()]
    let starting = try open(folders[0], schedule: .onDemand)
    #expect(throws: ServiceProblem.self) { try starting.coolDown() }
    #expect(try await starting.learn(example(0)).position == 0)
    #expect(await starting.drain(seconds: 30))
    let constant = try open(folders[1])
    try await train(constant, 0..<16)
    #expect(throws: ServiceProblem.self) { try constant.coolDown() }
    constant.tick()
    #expect(try await constant.learn(example(16)).position == 16)
    #expect(await constant.drain(seconds: 30))
  }

  /// The stream names "a" to "d" in order of the stripes; the first 40 images have two of them.
  @Test("Open classes grow while the service predicts, and a service that was stopped has the same weights")
  func openClasses() async throws {
    let folders = try [TemporaryFolder(), TemporaryFolder()]
    let names = ["a", "b", "c", "007"]
    let order = (0..<200).filter { Self.images.label($0) < 2 }.prefix(40) + Array(100..<140)
    func example(_ place: Int) -> Inbox.NewExample {
      .init(image: image(order[place]), label: names[Self.images.label(order[place])])
    }
    var services = try folders.map { try open($0, classes: OpenClasses("open:4")) }
    await #expect(throws: ServiceProblem.self) {
      try await services[0].predict(EncodedImage(bytes: image(0)))
    }
    for (index, place) in order.indices.enumerated() {
      if index == 36 {
        // The mini-batches of 8 end at other places; what waits is trained after the start.
        #expect(await services[1].drain(seconds: 30))
        services[1] = try open(folders[1], classes: OpenClasses("open:4"))
      }
      for service in services { _ = try await service.learn(example(place)) }
      guard index == 39 else { continue }
      try await wait { services[0].report.examples.trained == 40 }
      try await wait {
        services[0].tick()
        return services[0].predictions.weights?.step == 5
      }
      #expect(Set(services[0].classes) == ["a", "b"])
      let answer = try await services[0].predict(EncodedImage(bytes: image(0)))
      #expect(answer.classes.count == 2 && Set(answer.classes.map(\.name)) == ["a", "b"])
      let (best, kept) = try await services[0].predict(EncodedImage(bytes: image(0)), keepingFor: nil)
      #expect(kept.predicted == best.classes[0].name)
    }
    try await wait { services.allSatisfy { $0.report.examples.trained == order.count } }
    #expect(Set(services[0].classes) == ["a", "b", "c", "7"] && services[0].classes == services[1].classes)
    #expect(services[0].report.events.contains { $0.kind == .newClass && $0.text.contains("\"7\"") })
    #expect(services[0].report.memory.byClass.map(\.name) == services[0].classes)
    let fifth = Inbox.NewExample(image: image(1), label: "e")
    await #expect(throws: LabelProblem.tooMany(limit: 4)) { try await services[0].learn(fifth) }
    #expect(try services[0].text(ofLabel: " 07") == "7")
    for label in ["", "-1", "a\u{1}"] {
      #expect(throws: LabelProblem.malformed) { try services[0].text(ofLabel: label) }
    }
    for service in services { #expect(await service.drain(seconds: 30)) }
    #expect(try savedWeights(folders[0]) == savedWeights(folders[1]))
  }

  @Test("Two services cannot use one folder, and labels are names or numbers")
  func folderAndLabels() async throws {
    let folder = try TemporaryFolder()
    let service = try open(folder)
    let error = #expect(throws: OnePassError.self) { try open(folder) }
    #expect(error?.message.contains("another service uses this folder") == true)
    #expect(try service.text(ofLabel: "3") == "3")
    for label in ["4", "three", "-1"] {
      #expect(throws: LabelProblem.unknown) { try service.text(ofLabel: label) }
    }
    _ = await service.drain(seconds: 30)
  }
}

@Suite("Options of a service")
struct ServiceOptionsTests {
  @Test(
    "Values",
    arguments: [
      ("listen", "localhost", "HOST:PORT"), ("listen", "127.0.0.1:70000", "HOST:PORT"),
      ("name", "a b", "letters"),
      ("body-limit", "16", "a unit"), ("connections", "0", "at least 1"), ("idle-timeout", "60", "a unit"),
      ("insecure-loopback", "yes", "true or false"), ("log", "xml", "lines or json"),
      ("folder", "", "a folder"),
      ("prot", "1", "is not an option"),
    ])
  func invalid(_ name: String, _ value: String, _ expected: String) {
    var options = ServiceOptions()
    let error = #expect(throws: OnePassError.self) { try options.set(name, to: value) }
    #expect(error?.code == .usage)
    #expect(error?.message.contains(expected) == true)
  }

  @Test("Addresses and sizes")
  func valid() throws {
    var options = ServiceOptions()
    for (name, value) in [
      ("listen", "[::1]:8443"), ("body-limit", "2MiB"), ("waiting-time", "2d"), ("log", "json"),
    ] {
      try options.set(name, to: value)
    }
    #expect(options.host == "::1" && options.port == 8443)
    #expect(options.bodyBytes == 2 << 20)
    #expect(options.waiting.seconds == 172_800)
    #expect(options.logsJSON)
  }

  @Test("Tokens are required, except on a loopback address on request")
  func tokens() throws {
    var options = ServiceOptions()
    #expect(throws: OnePassError.self) { try options.check() }
    options.folder = "service"
    #expect(throws: OnePassError.self) { try options.check() }
    options.isInsecure = true
    try options.check()
    options.host = "0.0.0.0"
    #expect(throws: OnePassError.self) { try options.check() }
    (options.isInsecure, options.tokens) = (false, "tokens")
    try options.check()
    options.certificate = "certificate.pem"
    #expect(throws: OnePassError.self) { try options.check() }
  }
}
