import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where Debian has Grid Engine's programs and defaults. */
const programs = '/usr/lib/gridengine'
const defaults = '/usr/share/gridengine'

/** Settings of Debian's configuration that are replaced. All of a cell runs as root. */
const settings = {
  min_uid: '0',
  min_gid: '0',
  // A login shell would read the profile of this machine's root.
  login_shells: 'none',
  load_report_time: '00:00:05',
  reporting_params: 'accounting=true reporting=false flush_time=00:00:01 joblog=false sharelog=00:00:00',
}

/** The name of the queue and of its parallel environment. */
export const parallelEnvironment = 'dask'

const environmentText = `pe_name ${parallelEnvironment}
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule 1
control_slaves TRUE
job_is_first_task FALSE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
`

/**
 * Writes the files of a cell below `base`, with a classic spool, and what a shell on the master's host then has to do: first
 * before the master starts, then when it answers.
 */
export async function writeCell(
  base: string,
  { master, hosts }: { readonly master: string; readonly hosts: readonly string[] },
): Promise<{ readonly env: Readonly<Record<string, string>>; readonly before: string; readonly after: string }> {
  const [root, spool] = [join(base, 'ge'), join(base, 'spool')]
  const common = join(root, 'default/common')
  for (const folder of [common, join(root, 'utilbin'), join(spool, 'qmaster/job_scripts'), join(spool, 'execd')])
    await mkdir(folder, { recursive: true })
  await symlink('/var/lib/gridengine/bin', join(root, 'bin'))
  await symlink(`${defaults}/util`, join(root, 'util'))
  await symlink(programs, join(root, 'utilbin/lx-amd64'))
  await writeFile(join(common, 'act_qmaster'), `${master}\n`)
  const spooling = `${common};${join(spool, 'qmaster')}`
  const replaced = {
    admin_user: 'root',
    spooling_method: 'classic',
    spooling_lib: 'libspoolc',
    spooling_params: spooling,
    qmaster_spool_dir: join(spool, 'qmaster'),
  }
  await writeFile(join(common, 'bootstrap'), replace(await readFile(`${defaults}/default-bootstrap`, 'utf8'), replaced))
  const configuration = await readFile(`${defaults}/default-configuration`, 'utf8')
  const own = { ...settings, execd_spool_dir: join(spool, 'execd') }
  await writeFile(join(base, 'configuration'), replace(configuration, own))
  await writeFile(join(base, 'pe'), environmentText)
  await writeFile(join(base, 'group'), `group_name @allhosts\nhostlist ${hosts.join(' ')}\n`)
  const before = [
    `${programs}/spoolinit classic libspoolc '${spooling}' init`,
    `${programs}/spooldefaults configuration '${base}/configuration'`,
    `${programs}/spooldefaults complexes ${defaults}/util/resources/centry`,
    `${programs}/spooldefaults usersets ${defaults}/util/resources/usersets`,
    `${programs}/spooldefaults managers root`,
  ]
  const after = [
    ...hosts.map((host) => `qconf -ah ${host}`),
    `qconf -as ${master}`,
    ...hosts.map((host) => `qconf -as ${host}`),
    `qconf -Ap '${base}/pe'`,
    `qconf -Ahgrp '${base}/group'`,
    `qconf -sq | sed -e 's/^qname .*/qname all.q/' -e 's/^hostlist .*/hostlist @allhosts/' -e 's/^load_thresholds .*/load_thresholds NONE/' \
      -e 's/^pe_list .*/pe_list ${parallelEnvironment}/' -e 's/^slots .*/slots 8/' -e 's|^shell .*|shell /bin/bash|' >'${base}/queue'`,
    `qconf -Aq '${base}/queue'`,
    `qconf -ssconf | sed -e 's/^schedule_interval .*/schedule_interval 0:0:1/' -e 's/^flush_\\(\\w*\\)_sec .*/flush_\\1_sec 1/' >'${base}/scheduler'`,
    `qconf -Msconf '${base}/scheduler'`,
  ]
  const env = {
    SGE_ROOT: root,
    SGE_CELL: 'default',
    SGE_CLUSTER_NAME: 'test',
    SGE_QMASTER_PORT: '6444',
    SGE_EXECD_PORT: '6445',
  }
  return { env, before: script(before), after: script(after) }
}

function script(lines: readonly string[]): string {
  return ['set -e', ...lines].join('\n')
}

/** A text of lines `NAME VALUE` with other values. */
function replace(text: string, values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce(
    (changed, [name, value]) => changed.replace(new RegExp(`^${name}\\b.*$`, 'm'), `${name} ${value}`),
    text,
  )
}
