import Foundation
import OnePass
import OnePassCore
import OnePassTorch

extension TrainCommand {
  /// Prints the forecast of `--dry-run`.
  func showForecast() throws {
    let configuration = try configuration()
    _ = try checkpointPlan()
    if let launch = try LaunchEnvironment(ProcessInfo.processInfo.environment), launch.worldSize > 1 {
      throw OnePassError.forecastOfSeveralProcesses(launch.worldSize)
    }
    if resume, let folder, (try? RunFiles.result(in: folder)) != nil {
      return try Console.result("The run in \(folder) is finished; there is nothing to do.")
    }
    let forecast = try TrainingRun(configuration).forecast(output: folder, resuming: resume)
    for notice in forecast.notices { Console.note(notice) }
    try Console.result(json ? JSON.text(forecast) : ForecastText(forecast: forecast).text)
  }
}
