import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassService

@Suite("Images that wait for a label")
struct WaitingImagesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(_ change: (inout WaitingLimits) -> Void = { _ in }) throws -> WaitingImages {
    var limits = WaitingLimits()
    change(&limits)
    return try WaitingImages(folder.path, limits: limits)
  }

  private func prediction(
    _ id: String, subject: String? = nil, seconds: Double = 1e6
  ) -> WaitingImages.Prediction {
    .init(
      id: id, predicted: "3", probability: 0.5, subject: subject, expires: Date(timeIntervalSinceNow: seconds)
    )
  }

  @Test("An image is found again after the files were opened again, until it is removed")
  func reopening() async throws {
    let images = try open()
    try await images.keep(noise(1, count: 50), of: prediction("a", subject: "s"))
    try await images.keep(noise(2, count: 50), of: prediction("b"))
    try await images.remove("b")
    images.close()
    let again = try open()
    let found = try #require(try again.prediction("a"))
    #expect(found.image == noise(1, count: 50))
    #expect(found.prediction.predicted == "3" && found.prediction.subject == "s")
    #expect(try again.prediction("b") == nil)
    #expect(again.amount.images == 1)
    again.close()
  }

  @Test("Expired images are gone, and their files too")
  func expiry() async throws {
    let images = try open { $0.segmentBytes = 60 }
    for number in 0..<4 {
      try await images.keep(
        noise(number, count: 50), of: prediction("\(number)", seconds: Double(number + 1) * 100))
    }
    let before = images.byteCount
    images.expire(at: Date(timeIntervalSinceNow: 250))
    #expect(images.amount.images == 2 && images.amount.expired == 2)
    #expect(try images.prediction("1") == nil)
    #expect(try images.prediction("2") != nil)
    #expect(images.byteCount < before)
    images.close()
  }

  @Test("No more images and bytes wait than the limits allow")
  func limits() async throws {
    let few = try open { $0.images = 2 }
    for id in ["a", "b"] { try await few.keep([1], of: prediction(id)) }
    await #expect(throws: WaitingProblem.self) { try await few.keep([1], of: prediction("c")) }
    try await few.remove("a")
    try await few.keep([1], of: prediction("c"))
    few.close()
    let small = try open { $0.bytes = 1_000 }
    await #expect(throws: WaitingProblem.self) {
      try await small.keep(noise(1, count: 1_001), of: prediction("d"))
    }
    small.close()
  }

  @Test("A forgotten subject leaves no bytes of its images")
  func forgetting() async throws {
    let secret = Array("a secret picture".utf8)
    let images = try open()
    try await images.keep(secret, of: prediction("a", subject: "s"))
    try await images.keep(secret, of: prediction("b", subject: "s"))
    try await images.keep([1, 2], of: prediction("c", subject: "t"))
    try await images.remove("b")
    #expect(try images.forget(["s"]) == 1)
    #expect(try folder.occurrences(of: "a secret picture") == 0)
    #expect(try images.prediction("a") == nil)
    #expect(try images.prediction("c")?.image == [1, 2])
    images.close()
    let again = try open()
    #expect(again.amount.images == 1)
    again.close()
  }
}
