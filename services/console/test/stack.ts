import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../../..");

/** A running Sallyport with a stand-in for Atlassian, as its state.json describes it. */
export class Stack {
  private constructor(
    private readonly runDir: string,
    private readonly environment: NodeJS.ProcessEnv,
    readonly state: {
      console_url: string;
      mcp_url: string;
      callback_url: string;
      admin_grpc: string;
      admin_token_file: string;
      atlassian_switches_url: string;
      elasticsearch_url: string;
      redis_addr: string;
      pids: Record<string, number>;
    },
  ) {}

  /** Starts one of its own, with nothing in it. */
  static async start(): Promise<Stack> {
    const runDir = await mkdtemp(join(tmpdir(), "sallyport-browser-"));
    // Elasticsearch runs as another user where the tests run as root.
    await chmod(runDir, 0o755);
    const environment = {
      ...process.env,
      PORT_BASE: process.env.TEST_PORT_BASE ?? "18800",
      ATLASSIAN: "",
      MCP_UPSTREAM: "",
    };
    await run(join(root, "bin/stack"), ["up", "--run-dir", runDir], { env: environment });
    const state = JSON.parse(await readFile(join(runDir, "state.json"), "utf8"));
    return new Stack(runDir, environment, state);
  }

  async stop(): Promise<void> {
    await run(join(root, "bin/stack"), ["down", "--run-dir", this.runDir], { env: this.environment });
    await rm(this.runDir, { recursive: true, force: true });
  }

  /** The link by which somebody becomes the first admin. */
  async firstLink(): Promise<string> {
    return (await readFile(join(this.runDir, "secrets/first.link"), "utf8")).trim();
  }

  /** Runs the command line with the token file, and returns what it prints. */
  async cli(...args: string[]): Promise<string> {
    const environment = {
      ...this.environment,
      SALLYPORT_SERVER: this.state.admin_grpc,
      SALLYPORT_TOKEN_FILE: this.state.admin_token_file,
      NO_COLOR: "1",
    };
    return (await run(join(root, "bin/sallyport"), args, { env: environment })).stdout;
  }

  /** Puts a policy in force by the command line: what a file of it has, such as { default: "allow", rules: [] }. */
  async apply(policy: object, message = "Set for a test"): Promise<void> {
    const file = join(this.runDir, "policy.json");
    await writeFile(file, JSON.stringify(policy));
    await this.cli("policy", "apply", file, "--message", message);
  }

  /** Has the site's tools asked for at the next sign-in, which happens every five minutes at most otherwise. */
  async learnTools(): Promise<void> {
    const [host, port] = this.state.redis_addr.split(":");
    const redis = connect(Number(port), host);
    redis.write("DEL {sallyport}:tools-asked\r\n");
    await once(redis, "data");
    redis.destroy();
  }

  /** Stops a part, such as admin, or starts it again. */
  async part(does: "stop" | "start", name: string): Promise<void> {
    const supervisor = ["--use-uds", "--unix-socket", join(this.runDir, "pc.sock")];
    await run(join(root, "bin/process-compose"), ["process", does, name, ...supervisor], { env: this.environment });
  }

  /** Has a part stand still, as if its machine did, until it is resumed. */
  pause(name: string): void {
    process.kill(this.pid(name), "SIGSTOP");
  }

  resume(name: string): void {
    process.kill(this.pid(name), "SIGCONT");
  }

  private pid(name: string): number {
    const pid = this.state.pids[name];
    if (!pid) throw new Error(`state.json knows no part ${name}`);
    return pid;
  }

  /** Turns a switch of the stand-in. */
  async turn(name: string, value: unknown): Promise<void> {
    const answer = await fetch(`${this.state.atlassian_switches_url}/${name}`, {
      method: "PUT",
      body: JSON.stringify(value),
    });
    if (!answer.ok) throw new Error(`switch ${name}: ${await answer.text()}`);
  }
}
