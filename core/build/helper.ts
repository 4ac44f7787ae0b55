/**
 * The build's helper: one process inside the containers' user namespace that copies, packs and removes as its root. It
 * is started when there is something to do and lives as long as the build; each job has a thread.
 *
 * @module
 */
import { JobProcess } from "../image/job_process.ts";
import type { UserNamespace } from "../runtime/userns.ts";
import type { BuildJob, BuildJobMessage } from "./build_jobs.ts";

/** Does jobs; disposing ends the process, and jobs that are not done. */
export class BuildHelper implements Disposable {
  readonly #process: JobProcess<BuildJobMessage>;

  /** @param namespace Is not disposed with this. */
  constructor(namespace: UserNamespace) {
    this.#process = new JobProcess(namespace, { verb: "__build", purpose: "go on building" });
  }

  /** Starts the process, which takes a moment, before there is something to do. */
  prepare(): void {
    this.#process.prepare();
  }

  /** Does a job. @throws {DhowError} What the helper says. */
  do(job: BuildJob): Promise<unknown> {
    return this.#process.start((id) => ({ id, job })).result;
  }

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
  }
}
