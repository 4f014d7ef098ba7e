import Foundation
import OnePassCore
import Synchronization

/// The images of a memory in RAM, each in a block of exactly its size, and the loans of them.
///
/// A draw lends images in place and does not touch them, because with a million images each access waits for main memory. So a
/// block has no reference count. A loan lists the blocks that were drawn together. Removal searches the open loans, and a
/// block on loan is freed with the last of them.
///
/// The owner of the memory makes and removes blocks. Loans can end on any thread.
final class ImageBlocks: Sendable {
  /// The address of the first byte of a block; never 0.
  typealias Address = UInt

  private struct State {
    /// The blocks of each loan.
    var loans: [ObjectIdentifier: [Address]] = [:]
    /// The sizes of blocks that were removed while on loan.
    var removed: [Address: Int] = [:]

    func isOnLoan(_ block: Address) -> Bool { loans.values.contains { $0.contains(block) } }
  }

  private let state = Mutex(State())

  func make(_ size: Int) -> Address {
    guard let block = malloc(max(1, size)) else {
      preconditionFailure("No RAM is left for an image of \(size) bytes.")
    }
    return Address(bitPattern: block)
  }

  /// Removes a block now, or when the last loan of it ends.
  /// - Parameter isOverwritten: Whether its bytes are overwritten.
  func remove(_ block: Address, size: Int, isOverwritten: Bool) {
    let isOnLoan = state.withLock {
      guard $0.isOnLoan(block) else { return false }
      $0.removed[block] = size
      return true
    }
    if !isOnLoan { Self.free(block, overwriting: isOverwritten ? size : 0) }
  }

  /// Returns the bytes that can be used in a block of the allocator, which rounds sizes up; `nil` with an unknown allocator.
  private static let usableSize: (@convention(c) @Sendable (UnsafeMutableRawPointer?) -> Int)? = {
    #if canImport(Darwin)
      return { malloc_size($0) }
    #else
      // Foundation does not import the header that declares it.
      typealias Function = @convention(c) @Sendable (UnsafeMutableRawPointer?) -> Int
      return dlsym(nil, "malloc_usable_size").map { unsafeBitCast($0, to: Function.self) }
    #endif
  }()

  /// The size of the header that the allocator stores with each block.
  private static var headerBytes: Int {
    #if canImport(Glibc)
      return MemoryLayout<Int>.size
    #else
      return 0
    #endif
  }

  /// The bytes that the allocator reserves for a block beyond its size; `nil` with an unknown allocator.
  static func overhead(of block: Address, size: Int) -> Int? {
    usableSize.map { $0(UnsafeMutableRawPointer(bitPattern: block)) + headerBytes - size }
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
    // Always overwritten: whether they had to be forgotten is not recorded.
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

/// Images that were drawn together. Their addresses are valid while the loan exists.
final class Loan: Sendable {
  private let blocks: ImageBlocks

  fileprivate init(of blocks: ImageBlocks) { self.blocks = blocks }

  deinit { blocks.end(ObjectIdentifier(self)) }
}
