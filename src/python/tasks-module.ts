import circles from './tasks-circles.py'
import failures from './tasks-failures.py'
import limit from './tasks-limit.py'
import nested from './tasks-nested.py'
import node from './tasks-node.py'
import pool from './tasks-pool.py'
import scheduler from './tasks-scheduler.py'
import values from './tasks-values.py'
import calls from './tasks.py'

/** The module that workers, the scheduler and the client's helper process share, as text. */
export const tasksModule = [values, circles, limit, nested, node, pool, scheduler, failures, calls].join('\n')
