import OnePassCore
import OnePassData
import Testing

/// Checks the requirements of every source. The tests of a new source call it once.
///
/// - Parameters:
///   - count: The number of examples in the source, 3 or more.
///   - isShuffled: Whether the seed changes the order.
///   - open: Opens a fresh source for a seed.
func checkConformance(
  count: Int, isShuffled: Bool, open: (_ seed: UInt64) throws -> any ExampleSource
) throws {
  let whole = try takeAll(open(1))
  #expect(whole.map(\.id) == Array(0..<count))

  let source = try open(1)
  #expect(source.position == 0)
  for expected in whole {
    let example = try #require(try source.next())
    #expect(same(example, expected))
    #expect(source.position == expected.id + 1)
  }
  for _ in 0..<3 { #expect(try source.next() == nil) }
  #expect(source.position == count)
  #expect(source.knownCount == nil || source.knownCount == count)
  if let names = source.classNames { #expect(source.knownClassCount == names.count) }

  for position in Set([0, 1, count / 2, count - 1, count]) {
    let resumed = try open(1)
    try resumed.restore(position: position)
    #expect(resumed.position == position)
    let rest = try takeAll(resumed)
    #expect(rest.count == count - position)
    #expect(zip(rest, whole[position...]).allSatisfy(same), "restored to \(position)")
  }
  expectError(.badData, naming: ["cannot resume at example \(count + 1)"]) {
    try open(1).restore(position: count + 1)
  }

  let parted = try open(1)
  #expect(try parted.skip(1) == 1 && same(try #require(try parted.next()), whole[1]))
  #expect(try parted.skip(0) == 0 && parted.position == 2)
  #expect(try parted.skip(count) == count - 2 && parted.position == count)
  #expect(try parted.next() == nil && parted.skip(1) == 0)

  let other = try takeAll(open(2))
  #expect(other.count == count)
  let isSameOrder = zip(whole, other).allSatisfy { $0.image == $1.image && $0.label == $1.label }
  #expect(isSameOrder == !isShuffled, "the order with another seed")
  // Known for every kind that a specification names.
  if let stated = source.orderDependsOnSeed { #expect(stated == isShuffled) }
  if let ofKind = SourceRegistry.orderDependsOnSeed(source.specification), !(source is ShuffleBuffer) {
    #expect(source.orderDependsOnSeed == ofKind)
  }
  #expect(Set(other.map(\.image.bytes)) == Set(whole.map(\.image.bytes)))

  if let source = try open(1) as? any RandomAccessSource {
    #expect(source.count == count)
    for id in (0..<count).reversed() { #expect(same(try source.example(at: id), whole[id])) }
    #expect(source.position == 0)
  }
}

func takeAll(_ source: any ExampleSource) throws -> [Example] {
  var examples: [Example] = []
  while let example = try source.next() { examples.append(example) }
  return examples
}

func same(_ a: Example, _ b: Example) -> Bool { a.id == b.id && a.label == b.label && a.image == b.image }

/// Expects an `OnePassError` of this code whose message contains all of these words and ends with a full stop.
func expectError(
  _ code: OnePassError.Code, naming words: [String], sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("no error, expected \(code.rawValue)", sourceLocation: sourceLocation)
  } catch let error as OnePassError {
    #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
    for word in words { #expect(error.message.contains(word), "\(error)", sourceLocation: sourceLocation) }
    #expect(error.message.hasSuffix("."), "\(error)", sourceLocation: sourceLocation)
  } catch {
    Issue.record("not an OnePassError: \(error)", sourceLocation: sourceLocation)
  }
}
