import { type Finding, type Level, levels } from './finding.ts'

/** The report for people; no newline at the end. */
export function formatReport(findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length))
  const lines = findings.flatMap(({ level, subject, finding, advice }) => {
    const start = `${level.padEnd(levelWidth)}  ${subject.padEnd(width)}  `
    return [`${start}${finding}`, ...(advice === undefined ? [] : [`${' '.repeat(start.length)}-> ${advice}`])]
  })
  return [...lines, '', summary(findings)].join('\n')
}

const levelWidth = Math.max(...levels.map((level) => level.length))

function summary(findings: readonly Finding[]): string {
  const count = (level: Level): number => findings.filter((finding) => finding.level === level).length
  const [problems, warnings] = [count('problem'), count('warning')]
  if (problems + warnings === 0) return 'Nothing was found that would go wrong.'
  const say = (n: number, word: string): string[] => (n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`])
  return [...say(problems, 'problem'), ...say(warnings, 'warning')].join(', ')
}
