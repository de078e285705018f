// A Slurm of one's own, for as long as a test lasts: munged, slurmctld and two slurmd on the loopback address, with ports, keys, state and
// configuration in a folder that goes with them. No service of the system is touched.
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";

const programs = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo"];

/** The programs that are not there. */
export const lacking = () =>
  programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`], { env: withSbin() }).status !== 0);

/** Daemons lie where only root looks. */
function withSbin(more = {}) {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ...more };
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts it. `folder` is an empty one. */
export async function startSlurm(folder) {
  const at = (...names) => join(folder, ...names);
  for (const name of ["munge", "state", "spool", "log"]) mkdirSync(at(name), { mode: 0o755 });
  chmodSync(folder, 0o755);
  writeFileSync(at("munge", "key"), randomBytes(128), { mode: 0o400 });
  const [controller, one, two] = [await freePort(), await freePort(), await freePort()];
  const user = userInfo().username;
  writeFileSync(
    at("slurm.conf"),
    `ClusterName=lab
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
AuthType=auth/munge
AuthInfo=socket=${at("munge", "socket")}
CredType=cred/munge
SlurmUser=${user}
SlurmdUser=${user}
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool")}/%n
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd")}-%n.pid
SlurmctldLogFile=${at("log", "slurmctld")}
SlurmdLogFile=${at("log", "slurmd")}-%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=30
MaxArraySize=11
KillWait=5
NodeName=one NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${one} CPUs=1 State=UNKNOWN
NodeName=two NodeHostname=${hostname()} NodeAddr=127.0.0.1 Port=${two} CPUs=1 State=UNKNOWN
PartitionName=lab Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`,
  );
  const env = withSbin({ SLURM_CONF: at("slurm.conf") });
  const running = new Map();
  const start = (name, command, args) => {
    const child = spawn(command, args, { env, stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    running.set(name, { child, ended });
  };
  const daemons = {
    munged: [
      "munged",
      ["--foreground", "--force", `--key-file=${at("munge", "key")}`, `--socket=${at("munge", "socket")}`].concat([
        `--pid-file=${at("munge", "pid")}`,
        `--log-file=${at("munge", "log")}`,
        `--seed-file=${at("munge", "seed")}`,
      ]),
    ],
    slurmctld: ["slurmctld", ["-D", "-f", at("slurm.conf")]],
    one: ["slurmd", ["-D", "-N", "one", "-f", at("slurm.conf")]],
    two: ["slurmd", ["-D", "-N", "two", "-f", at("slurm.conf")]],
  };
  const ask = (command, ...args) => spawnSync(command, args, { env, encoding: "utf8" });
  const slurm = {
    env,
    ask,
    start: (name) => start(name, ...daemons[name]),
    /** Ends a daemon as a crash does. */
    async kill(name) {
      const { child, ended } = running.get(name);
      child.kill("SIGKILL");
      await ended;
    },
    /** Waits until both nodes take jobs. */
    async ready(seconds = 60) {
      for (let turn = 0; turn < seconds; turn++) {
        const { stdout } = ask("sinfo", "-h", "-N", "-o", "%N %T");
        if (/one (idle|mixed|alloc)/.test(stdout) && /two (idle|mixed|alloc)/.test(stdout)) return;
        await pause(1000);
      }
      throw new Error(`The nodes do not come up: ${ask("sinfo", "-N", "-l").stdout}`);
    },
    async stop() {
      ask("scancel", "-u", user);
      for (const name of ["one", "two", "slurmctld", "munged"])
        if (running.has(name)) {
          const { child, ended } = running.get(name);
          child.kill("SIGTERM");
          await Promise.race([ended, pause(5000)]);
          child.kill("SIGKILL");
        }
    },
  };
  slurm.start("munged");
  await pause(1000);
  slurm.start("slurmctld");
  slurm.start("one");
  slurm.start("two");
  return slurm;
}
