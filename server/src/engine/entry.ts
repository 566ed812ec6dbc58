/**
 * The engine process: owns ONNX Runtime and does all heavy work for the language server or the command line, which
 * start it through `EngineHost` and may kill it at any moment.
 */
import { jobs } from "../analysis/jobs.js";
import { serveJobs } from "./job-loop.js";

serveJobs(jobs);
