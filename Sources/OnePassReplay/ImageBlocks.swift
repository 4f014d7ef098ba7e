import Foundation
import OnePassCore
import Synchronization

/// The images of a memory in RAM, each in a block of exactly its size, and who has them on loan.
///
/// A draw hands images out where they lie. So that it need not touch them (with a million images each of them is a wait for
/// the main memory), nothing is counted in a block: a loan lists what was drawn together, and whoever removes a block looks
/// through the loans that have not ended. A block that is on loan then goes with the last of them.
///
/// The memory's owner makes and removes blocks; loans end on any thread.
final class ImageBlocks: Sendable {
  /// Where blocks begin: a multiple of 16 below 2^48.
  typealias Address = UInt

  private struct State {
    /// What was drawn together, by loan.
    var loans: [ObjectIdentifier: [Address]] = [:]
    /// The sizes of the blocks that were removed while on loan.
    var removed: [Address: Int] = [:]

    func isOnLoan(_ block: Address) -> Bool { loans.values.contains { $0.contains(block) } }
  }

  private let state = Mutex(State())

  func make(_ size: Int) -> Address {
    guard let block = malloc(max(1, size)) else { preconditionFailure("There is no RAM left for an image.") }
    let address = Address(bitPattern: block)
    precondition(address % 16 == 0 && address < 1 << 48, "An allocator aligns to 16 bytes below 2^48.")
    return address
  }

  /// Removes a block, at the latest when the last loan of it ends.
  /// - Parameter isOverwritten: Whether its bytes must not stay behind.
  func remove(_ block: Address, size: Int, isOverwritten: Bool) {
    let isOnLoan = state.withLock {
      guard $0.isOnLoan(block) else { return false }
      $0.removed[block] = size
      return true
    }
    if !isOnLoan { Self.free(block, overwriting: isOverwritten ? size : 0) }
  }

  func isOnLoan(_ block: Address) -> Bool { state.withLock { $0.isOnLoan(block) } }

  func lend(_ blocks: [Address]) -> Loan {
    let loan = Loan(of: self)
    state.withLock { $0.loans[ObjectIdentifier(loan)] = blocks }
    return loan
  }

  fileprivate func end(_ loan: ObjectIdentifier) {
    let gone = state.withLock { state -> [Address: Int] in
      let blocks = state.loans.removeValue(forKey: loan) ?? []
      guard !state.removed.isEmpty else { return [:] }
      var gone: [Address: Int] = [:]
      for block in blocks where state.removed[block] != nil && !state.isOnLoan(block) {
        gone[block] = state.removed.removeValue(forKey: block)
      }
      return gone
    }
    // Whether they had to be forgotten is not kept.
    for (block, size) in gone { Self.free(block, overwriting: size) }
  }

  private static func free(_ block: Address, overwriting size: Int) {
    let block = UnsafeMutableRawPointer(bitPattern: block)
    #if canImport(Darwin)
      if size > 0, let block { memset_s(block, size, 0, size) }
    #else
      if size > 0, let block { explicit_bzero(block, size) }
    #endif
    Foundation.free(block)
  }
}

/// Images that were drawn together. They stay where they are while it lives.
final class Loan: Sendable {
  private let blocks: ImageBlocks

  fileprivate init(of blocks: ImageBlocks) { self.blocks = blocks }

  deinit { blocks.end(ObjectIdentifier(self)) }
}
