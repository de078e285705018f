/** Scripts that have a scheduler compute the shards of a sweep: one text, in the words of each of them. */
import { ConfigError } from "../../experiments/index.js";

/** The schedulers that scripts are written for. */
export const schedulers = ["slurm", "pbs", "lsf", "kubernetes", "parallel"] as const;
/** One of {@link schedulers}. */
export type SchedulerName = (typeof schedulers)[number];

/** What a script is to say. */
export interface ScriptAsk {
  /** The sweep's folder, and the command's entry, as absolute paths: both on a disk that the workers share. */
  folder: string;
  cli: string;
  /** Node.js here; where the workers have none at this place, theirs. */
  node: string;
  /** Array tasks: shard i of so many each. */
  tasks: number;
  /** Points at a time in a task. */
  jobs: number;
  /** The longest that a task may take: "30", "2:00:00", "1-12:00:00"; as Slurm reads it. */
  time: string;
  mem?: string | undefined;
  partition?: string | undefined;
  account?: string | undefined;
  qos?: string | undefined;
  constraint?: string | undefined;
  /** A line of the user's own that is run first: "module load nodejs/20". */
  setup?: string | undefined;
  /** What stands before the command: "apptainer exec lab.sif". */
  prefix?: string | undefined;
  /** The image with Node.js, and the volume claim with laboratory and folder (Kubernetes alone). */
  image?: string | undefined;
  claim?: string | undefined;
  retryFailed?: boolean | undefined;
}

/** A word of a shell. */
export const quoted = (text: string): string =>
  /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

const plain: Readonly<Record<string, RegExp>> = {
  partition: /^[\w.,-]{1,200}$/,
  account: /^[\w.,@-]{1,200}$/,
  qos: /^[\w.,-]{1,200}$/,
  constraint: /^[\w.,&|*()[\]-]{1,200}$/,
  mem: /^\d{1,9}[KMGT]?$/,
  time: /^(\d{1,6}|\d{1,4}:\d\d(:\d\d)?|\d{1,3}-\d{1,2}(:\d\d){0,2})$/,
  image: /^[\w./:@-]{1,300}$/,
  claim: /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/,
};
const examples: Readonly<Record<string, string>> = {
  mem: "4G",
  time: "30, 2:00:00 or 1-12:00:00",
  constraint: "skylake&ib",
  image: "node:20",
};

/**
 * Refuses what would be no single word in a script's head.
 * @throws ConfigError naming the flag, the value and what is accepted
 */
export function checkAsk(ask: ScriptAsk): void {
  for (const [name, pattern] of Object.entries(plain)) {
    const value = ask[name as keyof ScriptAsk];
    if (typeof value === "string" && !pattern.test(value))
      throw new ConfigError(
        `--${name}: ${examples[name] === undefined ? "a name of letters, digits, dots and hyphens" : `as in ${examples[name]}`}; got ${JSON.stringify(value.slice(0, 60))}.`,
      );
  }
  for (const name of ["setup", "prefix"] as const)
    if (/\p{Cc}/u.test(ask[name] ?? "")) throw new ConfigError(`--${name}: one line; got several.`);
  for (const path of [ask.folder, ask.cli])
    if (/["\\%]|\p{Cc}/u.test(path))
      throw new ConfigError(
        `${JSON.stringify(path)}: quotes, backslashes and percent signs in a path are not taken by schedulers.`,
      );
}

/** How many minutes a time of Slurm's is, rounded up. */
export function minutesOf(time: string): number {
  const [days, rest] = time.includes("-") ? time.split("-") : [undefined, time];
  const parts = rest.split(":").map(Number);
  if (days !== undefined) {
    const [hours = 0, minutes = 0, seconds = 0] = parts;
    return Number(days) * 1440 + hours * 60 + minutes + Math.ceil(seconds / 60);
  }
  const [a = 0, b = 0, c = 0] = parts;
  if (parts.length === 3) return a * 60 + b + Math.ceil(c / 60);
  return parts.length === 2 ? a + Math.ceil(b / 60) : a;
}

/**
 * The script for a scheduler.
 * @throws ConfigError for a value that cannot stand in it
 */
export function scriptFor(name: SchedulerName, ask: ScriptAsk): string {
  checkAsk(ask);
  const ways = { slurm, pbs, lsf, kubernetes, parallel };
  return ways[name](ask);
}

/** What a task runs once it knows its number, with the checks before it. Task 0 checks and does nothing else. */
function body(
  { folder, cli, node, tasks, jobs, setup, prefix, retryFailed }: ScriptAsk,
  task: string,
  job: string,
): string {
  const built = cli.replace(/src\/cli\/iommu-lab\.mjs$/, "dist/cli/index.js");
  const retry = retryFailed ? " --retry-failed" : "";
  const find =
    prefix === undefined
      ? [
          `node=${quoted(node)}`,
          '[ -x "$node" ] || node=$(command -v node) || refuse "there is no Node.js: name it by --setup, as in --setup \'module load nodejs/20\'"',
        ]
      : ["node=node"];
  return [
    "# A task that cannot work says why, in a file that whoever follows reads.",
    `folder=${quoted(folder)}`,
    `task=${task}`,
    `refuse() { echo "$1" >&2; echo "On $(hostname) $1." > "$folder/jobs/refused-${job}.txt"; exit 78; }`,
    ...(setup === undefined ? [] : [setup]),
    'mkdir -p "$folder/jobs"; [ -w "$folder/jobs" ] || { echo "$(hostname): $folder cannot be written here" >&2; exit 78; }',
    ...find,
    `[ -f ${quoted(built)} ] || refuse "${`there is no built laboratory at ${built}`.replaceAll("$", "\\$")}: it must lie on a disk that the workers share, and npm run setup must have been run"`,
    `${prefix === undefined ? "" : `${prefix} `}"$node" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' || refuse "$node is not Node.js 20.19 or newer"`,
    '[ "$task" -eq 0 ] && exit 0',
    `exec ${prefix === undefined ? "" : `${prefix} `}"$node" ${quoted(cli)} sweep "$folder" --shard "$task/${tasks}" --jobs ${jobs}${retry}`,
  ].join("\n");
}

function slurm(ask: ScriptAsk): string {
  const { folder, tasks, jobs, time, mem, partition, account, qos, constraint } = ask;
  const options = {
    "job-name": "iommu-lab",
    array: `1-${tasks}`,
    ntasks: 1,
    "cpus-per-task": jobs,
    time,
    mem,
    partition,
    account,
    qos,
    constraint,
    output: `"${folder}/jobs/%A_%a.txt"`,
    "open-mode": "append",
    // Half a minute before its time is over a shard ends in good order.
    signal: "B:TERM@30",
  };
  const lines = Object.entries(options).flatMap(([name, value]) =>
    value === undefined ? [] : [`#SBATCH --${name}=${value}`],
  );
  return `#!/bin/sh\n${lines.join("\n")}\n#SBATCH --requeue\n${body(ask, '"$SLURM_ARRAY_TASK_ID"', "$SLURM_ARRAY_JOB_ID")}\n`;
}

function pbs(ask: ScriptAsk): string {
  const { folder, jobs, mem, partition, account } = ask;
  // An array of one is no array.
  const tasks = Math.max(2, ask.tasks);
  const minutes = minutesOf(ask.time);
  const lines = [
    "#PBS -N iommu-lab",
    `#PBS -J 1-${tasks}`,
    `#PBS -l select=1:ncpus=${jobs}${mem === undefined ? "" : `:mem=${mem.toLowerCase()}b`}`,
    `#PBS -l walltime=${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}:00`,
    "#PBS -j oe",
    `#PBS -o ${quoted(`${folder}/jobs/`)}`,
    "#PBS -r y",
    ...(partition === undefined ? [] : [`#PBS -q ${partition}`]),
    ...(account === undefined ? [] : [`#PBS -A ${account}`]),
    "# Submit it with qsub. With Torque: -t instead of -J, and $PBS_ARRAYID.",
  ];
  return `#!/bin/sh\n${lines.join("\n")}\n${body({ ...ask, tasks }, '"$PBS_ARRAY_INDEX"', "pbs")}\n`;
}

function lsf(ask: ScriptAsk): string {
  const { folder, tasks, jobs, time, mem, partition, account } = ask;
  const lines = [
    `#BSUB -J "iommu-lab[1-${tasks}]"`,
    `#BSUB -n ${jobs}`,
    '#BSUB -R "span[hosts=1]"',
    ...(mem === undefined ? [] : [`#BSUB -M ${mem}`]),
    `#BSUB -W ${minutesOf(time)}`,
    `#BSUB -o "${folder}/jobs/%J_%I.txt"`,
    "#BSUB -r",
    ...(partition === undefined ? [] : [`#BSUB -q ${partition}`]),
    ...(account === undefined ? [] : [`#BSUB -P ${account}`]),
    "# Submit it with bsub < script.",
  ];
  return `#!/bin/sh\n${lines.join("\n")}\n${body(ask, '"$LSB_JOBINDEX"', "lsf")}\n`;
}

function kubernetes(ask: ScriptAsk): string {
  const { tasks, jobs, mem, time, image = "node:20", claim = "shared" } = ask;
  const script = body({ ...ask, node: "node" }, "$((JOB_COMPLETION_INDEX + 1))", "kubernetes")
    .split("\n")
    .map((line) => `          ${line}`)
    .join("\n");
  const root = sharedRoot(ask.folder, ask.cli);
  if (root === "/")
    throw new ConfigError(
      `--on kubernetes: a folder that lies beside the laboratory, so that one volume holds both; got ${ask.folder} and ${ask.cli}.`,
    );
  return `# Start it with kubectl create -f. The claim must hold the laboratory and the sweep's folder, under ${root}.
apiVersion: batch/v1
kind: Job
metadata:
  generateName: iommu-lab-
spec:
  completionMode: Indexed
  completions: ${tasks}
  parallelism: ${tasks}
  backoffLimit: ${Math.max(6, tasks)}
  activeDeadlineSeconds: ${60 * minutesOf(time) * tasks}
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: shard
        image: ${JSON.stringify(image)}
        resources:
          requests: {cpu: "${jobs}"${mem === undefined ? "" : `, memory: "${mem.replace(/[KMGT]$/, "$&i")}"`}}
        volumeMounts:
        - {name: shared, mountPath: ${JSON.stringify(root)}}
        command: ["/bin/sh", "-c"]
        args:
        - |
${script}
      volumes:
      - name: shared
        persistentVolumeClaim: {claimName: ${JSON.stringify(claim)}}
`;
}

/** The folder that both paths lie in. */
function sharedRoot(a: string, b: string): string {
  const [one, other] = [a.split("/"), b.split("/")];
  const differ = one.findIndex((part, i) => part !== other[i]);
  return one.slice(0, differ < 0 ? one.length : differ).join("/") || "/";
}

function parallel(ask: ScriptAsk): string {
  const { folder, tasks, jobs } = ask;
  return `#!/bin/sh
# Runs here; on several machines with --sshloginfile FILE after parallel, a line user@host for each. Run once more, it does the shards again that
# failed or were killed.
mkdir -p ${quoted(`${folder}/jobs`)} || exit
cat > ${quoted(`${folder}/jobs/task.sh`)} <<'END OF TASK'
${body(ask, '"$1"', "parallel")}
END OF TASK
seq 1 ${tasks} | parallel --jobs ${jobs === 1 ? "100%" : `${Math.max(1, Math.floor(100 / jobs))}%`} --joblog ${quoted(`${folder}/jobs/parallel.txt`)} --resume-failed sh ${quoted(`${folder}/jobs/task.sh`)} {}
`;
}
